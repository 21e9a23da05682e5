import type { LoraSpec, NonlinearSpec, ScaledSpec } from '../../experiment/methods';
import {
  lowRankDelta,
  lowRankFlops,
  lowRankProduct,
  lowRankTensors,
  scaleOf,
  wholePair,
  withoutChange,
} from './low-rank';
import { type AdapterMethod, type ConfigReader, initializationOf, zeros } from './method';

/** The short name of the bias after B; `bias` would be the name of the layer's own in many files. */
export const LORA_BIAS = 'loraBias';

/**
 * LoRA (Hu et al., arXiv 2106.09685): h = W0 x + s · B A x; with `loraBias` h = W0 x + s · (B A x + b), as in PEFT. With an
 * initialization that splits the weight, h = W0 x + s · (B A − B0 A0) x: PEFT changes W0 instead.
 */
export const lora: AdapterMethod<LoraSpec> = {
  tensors({ layer, spec }) {
    const pair = lowRankTensors(layer, spec);
    if (!spec.loraBias) return pair;
    const bias = { name: LORA_BIAS, dims: [layer.outFeatures], rankAxes: [], peftName: 'lora_B.bias' };
    return [...pair, { ...bias, init: zeros }];
  },

  delta(g, { x }, p, { spec }, dtype) {
    const { delta, z } = lowRankDelta(g, x, p, scaleOf(spec), dtype);
    if (!spec.loraBias) return { delta, z };
    const bias = g.op('Mul', [p[LORA_BIAS], p.scale ?? g.scalar(scaleOf(spec), dtype)]);
    return { delta: g.op('Add', [delta, bias]), z };
  },
  showsZ: true,

  change(values, { layer, spec }) {
    const scale = scaleOf(spec);
    const { A, B } = wholePair(values, layer);
    const weight = lowRankProduct(B, A, layer, scale);
    return spec.loraBias
      ? { weight, bias: Float64Array.from(values[LORA_BIAS], (v) => scale * v) }
      : { weight };
  },
  changesBias: (spec) => spec.loraBias,
  lowRank: (values, { layer }) => wholePair(values, layer),
  scale: scaleOf,
  neutral: (values, { layer, spec }) => ({
    ...withoutChange(values),
    ...(spec.loraBias && { [LORA_BIAS]: new Float32Array(layer.outFeatures) }),
  }),
  flops({ layer, spec }) {
    const { forward, backward } = lowRankFlops(layer, spec);
    const added = spec.loraBias ? layer.outFeatures : 0;
    return { forward: forward + added, backward: backward + added };
  },
  formula: ({ loraBias }) => (loraBias ? 'r(in + out) + out' : 'r(in + out)'),

  peft: {
    type: 'LORA',
    loads: { since: '0.7' },
    loader: true,
    alphaKey: 'lora_alpha',
    write: (spec) => ({
      ...scaledConfig(spec),
      // PEFT before 0.14 rejects the key. It allows no other initialization beside it; these values are trained.
      ...(spec.loraBias && { lora_bias: true, init_lora_weights: true }),
    }),
    read: (c) => ({ ...scaledSettings(c), method: 'lora', loraBias: c.flag('lora_bias', false) }),
  },
};

/** The keys that PEFT's configuration of LoRA has, for LoRA and the methods that extend it. */
export const scaledConfig = (spec: ScaledSpec): Record<string, unknown> => ({
  fan_in_fan_out: false,
  init_lora_weights: spec.initialization === 'gaussian' ? 'gaussian' : true,
  layers_pattern: null,
  layers_to_transform: null,
  lora_alpha: spec.alpha,
  lora_dropout: spec.dropout,
  use_rslora: spec.useRslora,
});

/** The settings in these keys. */
export const scaledSettings = (c: ConfigReader): Omit<ScaledSpec, 'targetModules'> => ({
  rank: c.number('r'),
  alpha: c.number('lora_alpha'),
  useRslora: c.flag('use_rslora', false),
  dropout: c.number('lora_dropout', 0),
  initialization: initializationOf(c.value('init_lora_weights')),
  ...trainableTokens(c.value('trainable_token_indices')),
});

/** PEFT's list, or its table with one embedding. */
function trainableTokens(value: unknown): Pick<ScaledSpec, 'trainableTokenIndices'> {
  if (value === undefined) return {};
  const lists = Array.isArray(value) ? [value] : Object.values(value as Record<string, unknown>);
  // The schema rejects what is no list of tokens.
  return lists.length === 0
    ? {}
    : { trainableTokenIndices: (lists.length === 1 ? lists[0] : value) as number[] };
}

/** Without any scaling of its product, and without a bias. */
export const plainLora = (rank: number): LoraSpec => ({
  method: 'lora',
  rank,
  alpha: rank,
  useRslora: false,
  loraBias: false,
  dropout: 0,
  initialization: 'kaiming-uniform',
  targetModules: 'all-linear',
});

/** The settings that LoRA and a method with a nonlinearity both have, apart from the initialization. */
const SHARED = [
  'targetModules',
  'excludeModules',
  'layersToTransform',
  'layersPattern',
  'rank',
  'rankPattern',
  'alpha',
  'alphaPattern',
  'dropout',
] as const satisfies (keyof LoraSpec & keyof NonlinearSpec)[];

/** LoRA with the modules, rank, alpha and dropout of a method with a nonlinearity; its values come from elsewhere. */
export function loraLike(spec: NonlinearSpec, loraBias: boolean): LoraSpec {
  const shared = Object.fromEntries(
    SHARED.filter((key) => Object.hasOwn(spec, key)).map((key) => [key, spec[key]]),
  );
  return {
    ...(shared as Pick<LoraSpec, (typeof SHARED)[number]>),
    method: 'lora',
    initialization: 'kaiming-uniform',
    useRslora: false,
    loraBias,
  };
}
