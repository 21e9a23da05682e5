import fc from 'fast-check';
import { broadcastTo, openLabels, type Axis, type Case, type Input } from '../problem';

/** Batch axes that broadcast, matrices and vectors on either side. */
const general: Case = fc
  .record({
    batch: fc.constantFrom<Axis[][]>([], ['d'], ['d', 2]),
    row: fc.boolean(),
    column: fc.boolean(),
    open: openLabels,
  })
  .chain(
    ({ batch, row, column, open }) =>
      fc.tuple(broadcastTo(batch as Axis[]), broadcastTo(batch as Axis[])).map(([left, right]) => ({
        inputs: {
          x: { shape: row ? ['b'] : [...left, 'a', 'b'] },
          z: { shape: column ? ['b'] : [...right, 'b', 'c'] },
        },
        build: (g) => [g.op('MatMul', ['x', 'z'])],
        open,
      })) as Case,
  );

/** A rank-2 weight with an input of rank 2 to 4, narrow or wide. */
const linear: Case = fc
  .record({
    lead: fc.constantFrom<Axis[][]>(['a'], ['a', 'b'], ['a', 'b', 2]),
    out: fc.constantFrom(2, 6),
    open: fc.subarray(['a', 'b']),
    frozen: fc.boolean(),
  })
  .map(({ lead, out, open, frozen }) => ({
    inputs: { x: { shape: [...(lead as Axis[]), 4] }, w: { shape: [4, out], frozen } },
    build: (g) => [g.op('MatMul', ['x', 'w'])],
    open,
  }));

const gemm: Case = fc
  .record({
    transA: fc.nat(1),
    transB: fc.nat(1),
    alpha: fc.constantFrom(1, 0.5),
    beta: fc.constantFrom(1, 2),
    bias: fc.oneof(fc.constant(undefined), broadcastTo(['a', 'c'])),
    open: openLabels,
  })
  .map(({ transA, transB, alpha, beta, bias, open }) => {
    const inputs: Record<string, Input> = {
      x: { shape: transA ? ['b', 'a'] : ['a', 'b'] },
      z: { shape: transB ? ['c', 'b'] : ['b', 'c'] },
    };
    if (bias) inputs.bias = { shape: bias };
    return {
      inputs,
      build: (g) => [
        g.op('Gemm', Object.keys(inputs), { transA, transB, alpha: { float: alpha }, beta: { float: beta } }),
      ],
      open,
    };
  });

/** Equation and operand shapes; the labels in the shapes are the problem's. */
const EQUATIONS: [string, ...Axis[][]][] = [
  ['ab,bc->ac', ['a', 'b'], ['b', 'c']],
  ['ab,bc', ['a', 'b'], ['b', 'c']],
  ['ba,bc', ['b', 'a'], ['b', 'c']],
  ['abcd,abed->abce', ['a', 'b', 'c', 'd'], ['a', 'b', 2, 'd']],
  ['abc,dc->adb', ['a', 'b', 'c'], ['d', 'c']],
  ['a,b->ba', ['a'], ['b']],
  ['a,a->', ['a'], ['a']],
  ['abc,bd->ac', ['a', 'b', 'c'], ['b', 'd']],
  ['abc,abc->abc', ['a', 'b', 'c'], ['a', 1, 'c']],
  ['ab,ab->a', ['a', 1], ['a', 'b']],
  ['abc->ca', ['a', 'b', 'c']],
  ['ab->ab', ['a', 'b']],
  ['ab->', ['a', 'b']],
  ['...b,bc->...c', ['d', 'a', 'b'], ['b', 'c']],
  ['...ab,...bc->...ac', ['d', 'a', 'b'], ['d', 'b', 'c']],
  ['...ab,...bc', ['d', 'a', 'b'], [1, 'b', 'c']],
  ['b...,bc->...c', ['b', 'd', 'a'], ['b', 'c']],
  ['ab,bc,cd->ad', ['a', 'b'], ['b', 'c'], ['c', 'd']],
];

const einsum: Case = fc
  .record({ entry: fc.constantFrom(...EQUATIONS), open: openLabels })
  .map(({ entry: [equation, ...shapes], open }) => ({
    inputs: Object.fromEntries(shapes.map((s, i) => [`x${i}`, { shape: s }])),
    build: (g) => [
      g.op(
        'Einsum',
        shapes.map((_, i) => `x${i}`),
        { equation },
      ),
    ],
    open,
  }));

/** The scale may be frozen, the bias missing, and there may be several normalized axes. */
const layerNorm: Case = fc
  .record({
    dims: fc.constantFrom<Axis[][]>(['a', 'c'], ['a', 'b', 'c'], ['b', 4, 'c']),
    last: fc.integer({ min: 1, max: 2 }),
    negative: fc.boolean(),
    bias: fc.boolean(),
    frozen: fc.boolean(),
    open: openLabels,
  })
  .map(({ dims, last, negative, bias, frozen, open }) => {
    const full = dims as Axis[];
    const shape = full.slice(-last);
    const inputs: Record<string, Input> = { x: { shape: full }, scale: { shape, frozen } };
    if (bias) inputs.bias = { shape, frozen };
    return {
      inputs,
      build: (g) => [
        g.op('LayerNormalization', Object.keys(inputs), {
          axis: negative ? -last : full.length - last,
          epsilon: { float: 0.01 },
        }),
      ],
      open,
    };
  });

export const products: Record<string, Case> = {
  MatMul: fc.oneof(general, linear),
  Gemm: gemm,
  Einsum: einsum,
  LayerNormalization: layerNorm,
};
