import type { DeloraSpec } from '../../experiment/methods';
import type { GraphBuilder } from '../../graph/builder';
import { lowRankProduct, productFlops, withoutB } from './low-rank';
import { type AdapterMethod, constant, kaimingUniform, type LayerShape, type Values, zeros } from './method';

/** Smaller norms count as this one, so that a B of zeros can be divided by. */
const SMALLEST_NORM = 1e-4;

/**
 * DeLoRA (Bini et al., "Decoupling Angles and Strength in Low-rank Adaptation", arXiv 2503.18225):
 *
 *   ΔW = B · diag(λ / (r ‖Aₖ‖ ‖Bₖ‖)) · A · diag(‖W₀ᵢ‖),
 *
 * with the rows Aₖ, the columns Bₖ and one trained λ for each layer, and the norm of each column of W₀, which is stored
 * with the adapter. Gradients pass through the norms of A and B. As in tuners/delora/layer.py of PEFT, whose
 * delora_lambda is `lambda` here and whose module_dropout is `dropout`: it drops inputs.
 */
export const delora: AdapterMethod<DeloraSpec> = {
  tensors: ({ layer: { inFeatures, outFeatures }, spec: { rank, lambda } }) => [
    {
      name: 'A',
      dims: [rank, inFeatures],
      rankAxes: [0],
      peftName: 'delora_A',
      init: kaimingUniform(inFeatures),
    },
    { name: 'B', dims: [outFeatures, rank], rankAxes: [1], peftName: 'delora_B', init: zeros },
    { name: 'lambda', dims: [1], rankAxes: [], peftName: 'delora_lambda', init: constant(lambda) },
    {
      name: 'norm',
      dims: [inFeatures],
      frozen: true,
      rankAxes: [],
      peftName: 'delora_w_norm',
      init: (_, size, base) => columnNorms(base.weight(), size),
    },
  ],

  delta(g, { x }, p, { spec }, dtype) {
    const lambda = g.op('Mul', [p.lambda, p.scale ?? g.scalar(1 / spec.rank, dtype)]);
    const norms = g.op('Mul', [normOf(g, p.A, 1, dtype), normOf(g, p.B, 0, dtype)]);
    const B = g.op('Mul', [p.B, g.op('Div', [lambda, norms])]);
    const A = g.op('Mul', [p.A, p.norm]);
    const down = g.op('MatMul', [x, g.op('Transpose', [A])]);
    return { delta: g.op('MatMul', [down, g.op('Transpose', [B])]) };
  },

  change(values, { layer, spec: { rank } }) {
    const { A, B } = asLora(values, layer);
    return { weight: lowRankProduct(B, A, layer, 1 / rank) };
  },
  lowRank: (values, { layer }) => asLora(values, layer),
  scale: ({ rank }) => 1 / rank,
  neutral: withoutB,
  // As in PEFT.
  sizeLimit: () => Infinity,
  flops({ layer: { inFeatures, outFeatures }, spec: { rank } }) {
    // The norms and the factors of A and B: 3 operations for each number forward, and 3 or 5 backward.
    return {
      ...productFlops(rank * (inFeatures + outFeatures)),
      step: rank * (6 * inFeatures + 8 * outFeatures),
    };
  },
  formula: () => 'r(in + out) + 1',

  peft: {
    type: 'DELORA',
    loads: { since: '0.18', linearOnly: true },
    write: (spec) => ({
      delora_lambda: spec.lambda,
      init_weights: true,
      lambda_pattern: {},
      layers_pattern: null,
      layers_to_transform: null,
      module_dropout: spec.dropout,
    }),
    read: (c) => ({
      method: 'delora',
      rank: c.number('r'),
      lambda: c.number('delora_lambda', 15),
      dropout: c.number('module_dropout', 0),
    }),
  },
};

/** The norms along an axis of a matrix; no gradient passes through those that are too small. */
function normOf(g: GraphBuilder, matrix: string, axis: number, dtype: number): string {
  const norm = g.op('ReduceL2', [matrix, g.ints([axis])], { keepdims: 0 });
  return g.op('Clip', [norm, g.scalar(SMALLEST_NORM, dtype)]);
}

/** A · diag(‖W₀ᵢ‖) and B · diag(λ / (‖Aₖ‖ ‖Bₖ‖)): these make DeLoRA a LoRA, with the scale 1/r. */
function asLora(
  { A, B, lambda, norm }: Values,
  { inFeatures, outFeatures }: LayerShape,
): { A: Float32Array; B: Float32Array } {
  const rank = A.length / inFeatures;
  const [a, b] = [new Float64Array(rank), new Float64Array(rank)];
  for (let i = 0; i < A.length; i++) a[Math.floor(i / inFeatures)] += A[i] ** 2;
  for (let i = 0; i < outFeatures * rank; i++) b[i % rank] += B[i] ** 2;
  const size = (squared: number) => Math.max(SMALLEST_NORM, Math.sqrt(squared));
  return {
    A: A.map((v, i) => v * norm[i % inFeatures]),
    B: B.map((v, i) => (v * lambda[0]) / (size(a[i % rank]) * size(b[i % rank]))),
  };
}

/** The norms of the columns of a weight (out, in). */
function columnNorms(weight: Float32Array, inFeatures: number): Float32Array {
  const sums = new Float64Array(inFeatures);
  for (let i = 0; i < weight.length; i++) sums[i % inFeatures] += weight[i] ** 2;
  return Float32Array.from(sums, Math.sqrt);
}
