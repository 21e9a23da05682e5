import type { LoraSpec } from '../../experiment/methods';
import {
  downProjection,
  lowRankProduct,
  lowRankTensors,
  productFlops,
  scaleOf,
  upProjection,
  withoutB,
} from './low-rank';
import { type AdapterMethod, initializationOf } from './method';

/** LoRA (Hu et al., arXiv 2106.09685): h = W0 x + s · B A x. */
export const lora: AdapterMethod<LoraSpec> = {
  tensors: ({ layer, spec }) => lowRankTensors(layer, spec),

  delta(g, { x }, p, { spec }, dtype) {
    const z = downProjection(g, x, p);
    return { delta: upProjection(g, z, p, scaleOf(spec), dtype), z };
  },
  showsZ: true,

  change: ({ A, B }, { layer, spec }) => ({ weight: lowRankProduct(B, A, layer, scaleOf(spec)) }),
  lowRank: ({ A, B }) => ({ A, B }),
  scale: scaleOf,
  neutral: withoutB,
  flops: ({ layer, spec }) => productFlops(spec.rank * (layer.inFeatures + layer.outFeatures)),
  formula: () => 'r(in + out)',

  peft: {
    type: 'LORA',
    loader: true,
    alphaKey: 'lora_alpha',
    write: (spec) => ({
      fan_in_fan_out: false,
      init_lora_weights: spec.initialization === 'gaussian' ? 'gaussian' : true,
      layers_pattern: null,
      layers_to_transform: null,
      lora_alpha: spec.alpha,
      lora_dropout: spec.dropout,
      use_rslora: spec.useRslora,
    }),
    read: (c) => ({
      method: 'lora',
      rank: c.number('r'),
      alpha: c.number('lora_alpha'),
      useRslora: c.flag('use_rslora', false),
      dropout: c.number('lora_dropout', 0),
      initialization: initializationOf(c.value('init_lora_weights')),
    }),
  },
};

/** Without any scaling of its product. */
export const plainLora = (rank: number): LoraSpec => ({
  method: 'lora',
  rank,
  alpha: rank,
  useRslora: false,
  dropout: 0,
  initialization: 'kaiming-uniform',
  targetModules: 'all-linear',
});
