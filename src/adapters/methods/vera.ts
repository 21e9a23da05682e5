import { Stream, uniform } from '../../base/random';
import type { VeraSpec } from '../../experiment/methods';
import { lowRankProduct } from './low-rank';
import { constant, zeros, type AdapterMethod, type OnLayer } from './method';

/**
 * VeRA (Kopiczko et al., arXiv 2310.11454): h = W0 x + b ⊙ B (d ⊙ A x). A (r, in) and B (out, r) are random, frozen and
 * the same for all layers; a layer smaller than the widest takes their first columns and rows, as in PEFT. The random
 * numbers are not PyTorch's: with the same seed, PEFT has other matrices.
 */
export const vera: AdapterMethod<VeraSpec> = {
  tensors: ({ layer, spec }) => [
    {
      name: 'd',
      dims: [spec.rank],
      rankAxes: [],
      peftName: 'vera_lambda_d',
      init: constant(spec.dInitial),
    },
    { name: 'b', dims: [layer.outFeatures], rankAxes: [], peftName: 'vera_lambda_b', init: zeros },
  ],

  frozen: (on) => [
    {
      name: 'A',
      dims: [on.spec.rank, on.layer.inFeatures],
      shared: `vera.A ${on.layer.inFeatures}`,
      values: () => frozenA(on),
    },
    {
      name: 'B',
      dims: [on.layer.outFeatures, on.spec.rank],
      shared: `vera.B ${on.layer.outFeatures}`,
      values: () => frozenB(on),
    },
  ],

  delta(g, { x }, p) {
    const down = g.op('Mul', [g.op('MatMul', [x, g.op('Transpose', [p.A])]), p.d]);
    return { delta: g.op('Mul', [g.op('MatMul', [down, g.op('Transpose', [p.B])]), p.b]) };
  },

  change(values, on) {
    const { A, B } = asLora(values, on);
    return { weight: lowRankProduct(B, A, on.layer, 1) };
  },
  lowRank: asLora,
  sizeLimit: () => Infinity,
  stated: ['projectionSeed'],
  neutral: (values) => ({ ...values, b: new Float32Array(values.b.length) }),
  flops({ layer: { inFeatures, outFeatures }, spec: { rank } }) {
    const products = rank * (inFeatures + outFeatures);
    const factors = rank + outFeatures;
    // The frozen matrices get no gradient.
    return { forward: 2 * products + factors, backward: 2 * products + 3 * factors };
  },
  formula: () => 'out + r',

  peft: {
    type: 'AURORA_VERA',
    write: (spec) => ({
      d_initial: spec.dInitial,
      projection_seed: spec.projectionSeed,
      vera_dropout: spec.dropout,
    }),
    read: (c) => ({
      method: 'vera',
      rank: c.number('r'),
      dInitial: c.number('d_initial', 0.1),
      projectionSeed: c.number('projection_seed'),
      dropout: c.number('vera_dropout', 0),
    }),
  },
};

/** Element (row, column) of the infinite matrix that A or B is a corner of. */
const MATRIX = { A: 1, B: 2 };

/** Kaiming-uniform with a = 0: U(±√(6/fan_in)). */
function frozenMatrix(
  which: number,
  rows: number,
  columns: number,
  fanIn: number,
  seed: number,
): Float32Array {
  const bound = Math.sqrt(6 / fanIn);
  return Float32Array.from({ length: rows * columns }, (_, i) => {
    const u = uniform(seed, Stream.projections, which, Math.floor(i / columns), i % columns);
    return (2 * u - 1) * bound;
  });
}

const frozenA = ({ layer, spec, widest }: OnLayer<VeraSpec>): Float32Array =>
  frozenMatrix(MATRIX.A, spec.rank, layer.inFeatures, widest.inFeatures, spec.projectionSeed);

const frozenB = ({ layer, spec }: OnLayer<VeraSpec>): Float32Array =>
  frozenMatrix(MATRIX.B, layer.outFeatures, spec.rank, spec.rank, spec.projectionSeed);

/** diag(d) A and diag(b) B: these make VeRA a LoRA. */
function asLora(
  { d, b }: Record<string, Float32Array>,
  on: OnLayer<VeraSpec>,
): { A: Float32Array; B: Float32Array } {
  const { inFeatures } = on.layer;
  const { rank } = on.spec;
  return {
    A: frozenA(on).map((v, i) => d[Math.floor(i / inFeatures)] * v),
    B: frozenB(on).map((v, i) => b[Math.floor(i / rank)] * v),
  };
}
