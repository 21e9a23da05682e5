import type { AdaloraSpec } from '../../experiment/methods';
import type { GraphBuilder } from '../../graph/builder';
import { tensorOf } from '../../graph/values';
import { lowRankProduct, productFlops, upProjection } from './low-rank';
import { normal, zeros, type AdapterMethod, type NamedAdapter, type OnLayer, type Values } from './method';
import { RankAllocator } from './rank-allocator';

const STD = 0.02;

/** By default two thirds of the rank at the start, as with PEFT's defaults, 12 and 8. */
const targetRank = ({ rank, targetRank: target }: AdaloraSpec): number =>
  target ?? Math.max(1, Math.round((2 * rank) / 3));

const scaleOf = ({ alpha, rank }: AdaloraSpec): number => alpha / rank;

/** PEFT divides alpha by rank + 1e-5: α/r times this. */
const divisorRatio = ({ rank }: AdaloraSpec): number => rank / (rank + 1e-5);

/**
 * AdaLoRA (Zhang et al., arXiv 2303.10512): W = W0 + α/(r + 1e-5) · B (E ⊙ A), with A (r, in), B (out, r) and the singular
 * values E (r, 1), as in PEFT (tuners/adalora). The penalty orthRegWeight · mean(‖A Aᵀ − I‖, ‖Bᵀ B − I‖), over all A and B,
 * keeps their vectors near orthonormal. During training, the least important E of all layers become 0
 * (`RankAllocator`); r stays the rank at the start in the scale. E starts at 0, A and B from N(0, 0.02²).
 */
export const adalora: AdapterMethod<AdaloraSpec> = {
  tensors: ({ layer: { inFeatures, outFeatures }, spec: { rank } }) => [
    { name: 'A', dims: [rank, inFeatures], rankAxes: [0], peftName: 'lora_A', init: normal(STD) },
    { name: 'B', dims: [outFeatures, rank], rankAxes: [1], peftName: 'lora_B', init: normal(STD) },
    { name: 'E', dims: [rank, 1], rankAxes: [0], peftName: 'lora_E', init: zeros },
  ],

  delta(g, { x }, p, { spec }, dtype) {
    const values = g.op('Mul', [p.E, g.scalar(divisorRatio(spec), dtype)]);
    const z = g.op('MatMul', [x, g.op('Transpose', [g.op('Mul', [p.A, values])])]);
    return { delta: upProjection(g, z, p, scaleOf(spec), dtype) };
  },

  penalty(g, all, dtype) {
    const { orthRegWeight } = all[0].on.spec;
    if (orthRegWeight === 0) return undefined;
    const sum = all
      .flatMap((a) => distances(g, a, dtype))
      .reduce((before, distance) => g.op('Add', [before, distance]));
    return g.op('Mul', [sum, g.scalar(orthRegWeight / (2 * all.length), dtype)]);
  },

  course(all, steps) {
    const { rank, totalStep: total = steps, ...rest } = all[0].on.spec;
    const { tinit, tfinal, deltaT, beta1, beta2 } = rest;
    const target = targetRank(all[0].on.spec);
    const schedule = { rank, target, tinit, tfinal, deltaT, beta1, beta2, total };
    return new RankAllocator(
      all.map(({ names }) => ({ A: names.A, B: names.B, E: names.E })),
      schedule,
    );
  },

  change: (values, on) => {
    const { A, B } = asLora(values, on);
    return { weight: lowRankProduct(B, A, on.layer, scaleOf(on.spec)) };
  },
  lowRank: asLora,
  scale: scaleOf,
  neutral: (values) => ({ ...values, E: new Float32Array(values.E.length) }),

  flops({ layer: { inFeatures, outFeatures }, spec: { rank, orthRegWeight } }) {
    const penalty = orthRegWeight === 0 ? 0 : 6 * rank ** 2 * (inFeatures + outFeatures);
    return { ...productFlops(rank * (inFeatures + outFeatures)), step: 4 * rank * inFeatures + penalty };
  },
  formula: () => 'r(in + out + 1)',

  peft: {
    type: 'ADALORA',
    // Modules without a rank since then.
    loads: { since: '0.10' },
    write: (spec, _, steps = 0) => ({
      init_r: spec.rank,
      target_r: targetRank(spec),
      tinit: spec.tinit,
      tfinal: spec.tfinal,
      deltaT: spec.deltaT,
      beta1: spec.beta1,
      beta2: spec.beta2,
      orth_reg_weight: spec.orthRegWeight,
      // PEFT refuses to load a schedule without room between its beginning and its end.
      total_step: Math.max(spec.totalStep ?? steps, spec.tinit + spec.tfinal + 1),
      // Not used by AdaLoRA; PEFT warns of any other value than LoRA's default.
      r: 8,
      lora_alpha: spec.alpha,
      lora_dropout: spec.dropout,
      fan_in_fan_out: false,
      init_lora_weights: true,
      layers_pattern: null,
      layers_to_transform: null,
    }),
    read(c) {
      const rank = c.number('init_r', 12);
      const alpha = c.number('lora_alpha', 8);
      return {
        method: 'adalora',
        rank,
        targetRank: c.number('target_r', 8),
        tinit: c.number('tinit', 0),
        tfinal: c.number('tfinal', 0),
        deltaT: c.number('deltaT', 1),
        beta1: c.number('beta1', 0.85),
        beta2: c.number('beta2', 0.85),
        // Without a task_type, PEFT calls the model past the code that adds the penalty.
        orthRegWeight: c.value('task_type') === undefined ? 0 : c.number('orth_reg_weight', 0.5),
        totalStep: c.number('total_step'),
        alpha: alpha > 0 ? alpha : rank,
        dropout: c.number('lora_dropout', 0),
      };
    },
    ranks: { key: 'lora_E', used: ({ E }) => Array.from(E, (value) => value !== 0) },
  },
};

/** E ⊙ A, and B, make it a LoRA of scale α/r. */
function asLora({ A, B, E }: Values, { layer, spec }: OnLayer<AdaloraSpec>) {
  const ratio = divisorRatio(spec);
  return { A: A.map((v, i) => ratio * E[Math.floor(i / layer.inFeatures)] * v), B };
}

/** ‖A Aᵀ − I‖ and ‖Bᵀ B − I‖, Frobenius norms. */
function distances(
  g: GraphBuilder,
  { on, names }: NamedAdapter<AdaloraSpec>,
  dtype: number,
): [string, string] {
  const identity = identityOf(g, on.spec.rank, dtype);
  const [At, Bt] = [names.A, names.B].map((name) => g.op('Transpose', [name]));
  const norm = (gram: string): string => {
    const difference = g.op('Sub', [gram, identity]);
    const squares = g.op('ReduceSum', [g.op('Mul', [difference, difference])], { keepdims: 0 });
    // The gradient of the root is infinite at 0, where PyTorch's norm has none.
    return g.op('Sqrt', [g.op('Max', [squares, g.scalar(SMALLEST, dtype)])]);
  };
  return [norm(g.op('MatMul', [names.A, At])), norm(g.op('MatMul', [Bt, names.B]))];
}

/** Far below the square of a rounding error in float32. */
const SMALLEST = 1e-30;

function identityOf(g: GraphBuilder, size: number, dtype: number): string {
  const name = `/aurora/identity ${size}`;
  if (g.graph.initializers.has(name)) return name;
  const values = Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
  return g.addInitializer(tensorOf(name, dtype, [size, size], values));
}
