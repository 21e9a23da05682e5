import type { LohaSpec } from '../../experiment/methods';
import type { GraphBuilder } from '../../graph/builder';
import { lowRankProduct, productFlops } from './low-rank';
import { type AdapterMethod, type AdapterTensor, kaimingUniform, type OnLayer, zeros } from './method';

const scaleOf = ({ alpha, rank }: LohaSpec): number => alpha / rank;

/**
 * LoHa (LyCORIS, Yeh et al., arXiv 2309.14859; FedPara, Hyeon-Woo et al., arXiv 2108.06098): ΔW = s · (w1_a w1_b) ⊙ (w2_a
 * w2_b), the elementwise product of two products of rank r, whose rank is up to r². s = alpha / r. As in
 * tuners/loha/layer.py of PEFT, without its rank_dropout and module_dropout.
 *
 * It is also one product of rank r², of all pairs of columns with all pairs of rows. A step takes that form where it costs
 * less than ΔW itself: while r² (in + out) < in · out, below rank 20 for 768 × 768.
 */
export const loha: AdapterMethod<LohaSpec> = {
  tensors({ layer: { inFeatures, outFeatures }, spec: { rank } }) {
    const left = (name: string): AdapterTensor => ({
      name,
      dims: [outFeatures, rank],
      rankAxes: [1],
      peftName: `hada_${name}`,
      init: kaimingUniform(rank),
    });
    const right = (name: string, init: AdapterTensor['init']): AdapterTensor => ({
      name,
      dims: [rank, inFeatures],
      rankAxes: [0],
      peftName: `hada_${name}`,
      init,
    });
    return [left('w1_a'), right('w1_b', kaimingUniform(inFeatures)), left('w2_a'), right('w2_b', zeros)];
  },

  delta(g, { x }, p, on, dtype) {
    const scaled = g.op('Mul', [p.w1_a, p.scale ?? g.scalar(scaleOf(on.spec), dtype)]);
    // A graph for any rank, whose scale is an input, has the form that needs no ΔW.
    if (p.scale === undefined && !isThin(on)) {
      const first = transposedProduct(g, scaled, p.w1_b);
      const second = transposedProduct(g, p.w2_a, p.w2_b);
      return { delta: g.op('MatMul', [x, g.op('Mul', [first, second])]) };
    }
    const { inFeatures, outFeatures } = on.layer;
    const A = pairs(g, g.op('Transpose', [p.w1_b]), g.op('Transpose', [p.w2_b]), inFeatures);
    const B = pairs(g, scaled, p.w2_a, outFeatures);
    return { delta: g.op('MatMul', [g.op('MatMul', [x, A]), g.op('Transpose', [B])]) };
  },

  change({ w1_a, w1_b, w2_a, w2_b }, { layer, spec }) {
    const first = lowRankProduct(w1_a, w1_b, layer, scaleOf(spec));
    const second = lowRankProduct(w2_a, w2_b, layer, 1);
    return { weight: first.map((v, i) => v * second[i]) };
  },
  scale: scaleOf,
  neutral: (values) => ({ ...values, w2_b: new Float32Array(values.w2_b.length) }),
  // As in PEFT.
  sizeLimit: () => Infinity,
  flops(on) {
    const { inFeatures, outFeatures } = on.layer;
    const { rank } = on.spec;
    const products = rank * rank * (inFeatures + outFeatures);
    const scaling = 2 * rank * outFeatures;
    // Each number of the matrices of pairs is a product: 1 operation forward, and 4 backward with the sums over pairs.
    if (isThin(on)) return { ...productFlops(products), step: 5 * products + scaling };
    const weight = inFeatures * outFeatures;
    return { forward: 2 * weight, backward: 4 * weight, step: (12 * rank + 3) * weight + scaling };
  },
  formula: () => '2r(in + out)',

  peft: {
    type: 'LOHA',
    loads: { since: '0.6', linearOnly: true },
    lacks: ['bias'],
    alphaKey: 'alpha',
    write: (spec) => ({
      alpha: spec.alpha,
      init_weights: true,
      layers_pattern: null,
      layers_to_transform: null,
      module_dropout: 0,
      rank_dropout: 0,
      use_effective_conv2d: false,
    }),
    read: (c) => ({ method: 'loha', rank: c.number('r'), alpha: c.number('alpha') }),
  },
};

/** True if the product of all pairs costs less for each token than ΔW. */
function isThin({ layer: { inFeatures, outFeatures }, spec: { rank } }: OnLayer<LohaSpec>): boolean {
  return rank * rank * (inFeatures + outFeatures) < inFeatures * outFeatures;
}

/** (a b)ᵀ, (in, out). */
const transposedProduct = (g: GraphBuilder, a: string, b: string): string =>
  g.op('MatMul', [g.op('Transpose', [b]), g.op('Transpose', [a])]);

/** (n, r²): the products of each column of one matrix (n, r) with each column of another. */
function pairs(g: GraphBuilder, one: string, other: string, n: number): string {
  const products = g.op('Mul', [
    g.op('Unsqueeze', [one, g.ints([2])]),
    g.op('Unsqueeze', [other, g.ints([1])]),
  ]);
  return g.op('Reshape', [products, g.ints([n, -1])]);
}
