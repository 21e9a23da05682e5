import { power } from '../../base/power';
import type { SplineReading } from '../../experiment/methods';
import type { GraphBuilder } from '../../graph/builder';
import { DType } from '../../graph/dtype';

/** A uniform B-spline: G intervals on [lo, hi], order k, zero outside its support. */
export interface SplineSpec {
  gridSize: number;
  splineOrder: number;
  gridRange: [number, number];
  /** "shared" if omitted. */
  spline?: SplineReading;
}

export const basisCount = (s: SplineSpec): number => s.gridSize + s.splineOrder;

/** The dimensions of W: (r, G+k), or (r, r, G+k) with a spline for each pair of output and input. */
export const splineDims = (s: SplineSpec, rank: number): number[] =>
  s.spline === 'per-pair' ? [rank, rank, basisCount(s)] : [rank, basisCount(s)];

/**
 * Position in W of the G+k weights by which the bases of z[input] enter the output `output`; undefined if they do not
 * enter it.
 */
export function splineOffset(s: SplineSpec, rank: number, output: number, input: number): number | undefined {
  if (s.spline === 'per-pair') return (output * rank + input) * basisCount(s);
  return s.spline === 'per-dimension' && output !== input ? undefined : output * basisCount(s);
}

/** Width of one grid interval. */
export const gridStep = (s: SplineSpec): number => (s.gridRange[1] - s.gridRange[0]) / s.gridSize;

/** Center of basis i: lo + (i − (k−1)/2)·h. */
export const basisCenters = (s: SplineSpec): number[] =>
  Array.from(
    { length: basisCount(s) },
    (_, i) => s.gridRange[0] + (i - (s.splineOrder - 1) / 2) * gridStep(s),
  );

/** Outside these all bases are zero. */
export const splineSupport = (s: SplineSpec): [number, number] => [
  s.gridRange[0] - s.splineOrder * gridStep(s),
  s.gridRange[1] + s.splineOrder * gridStep(s),
];

/**
 * Cardinal B-splines as differences of two truncated powers of |t|, t = (z − center)/h; equal to Cox–de Boor to 2.6e-7
 * in float32, while the usual sum of k+2 truncated powers loses three digits. b(t) = norm · (max(0, outer−|t|)^k −
 * weight · max(0, inner−|t|)^k)
 */
const FORMS: Record<number, { outer: number; inner: number; weight: number; norm: number }> = {
  1: { outer: 1, inner: 0, weight: 0, norm: 1 },
  2: { outer: 1.5, inner: 0.5, weight: 3, norm: 1 / 2 },
  3: { outer: 2, inner: 1, weight: 4, norm: 1 / 6 },
};

/** The value of a basis at distance t (in grid steps) from its center. */
export function basis(order: number, t: number): number {
  const { outer, inner, weight, norm } = FORMS[order];
  const u = Math.abs(t);
  const near = weight ? weight * power(Math.max(0, inner - u), order) : 0;
  return norm * (power(Math.max(0, outer - u), order) - near);
}

/**
 * Nodes for the learnable part, z (n, r) → (n, r): Σᵢ W[o, i] Σⱼ bᵢ(zⱼ) if the spline is shared, Σᵢ W[o, i] bᵢ(z[o]) per
 * dimension, and Σⱼ Σᵢ W[o, j, i] bᵢ(zⱼ) per pair. `W` is the name of a tensor (`splineDims`). Both powers of every basis are
 * columns of one tensor, from a product and into one, so that a step starts few nodes; distances are in units of where a
 * power ends, so that no node but the product has a vector as an operand.
 *
 * @param rank r; undefined in an exported graph whose adapters are inputs of any rank
 */
export function splineNodes(
  g: GraphBuilder,
  z: string,
  W: string,
  s: SplineSpec,
  dtype: number,
  rank?: number,
): string {
  if (s.splineOrder === 1) return sumOfHats(g, z, W, s, dtype, rank);
  const { outer, inner, weight, norm } = FORMS[s.splineOrder];
  const h = gridStep(s);
  const centers = basisCenters(s);
  const columns = [
    { edge: outer, factor: norm * power(outer, s.splineOrder) },
    { edge: inner, factor: -norm * weight * power(inner, s.splineOrder) },
  ].flatMap(({ edge, factor }) =>
    centers.map((center, basis) => ({ basis, center, width: edge * h, factor })),
  );
  const row = (value: (column: (typeof columns)[number]) => number) =>
    g.constant(dtype, [1, columns.length], columns.map(value));
  const scales = row(({ width }) => 1 / width);
  const offsets = row(({ center, width }) => -center / width);
  const each = g.op('Reshape', [z, g.ints([-1, 1])]);
  const distance = g.op('Abs', [g.op('Gemm', [each, scales, offsets])]);
  const powers = g.op('Pow', [tent(g, distance, dtype), g.scalar(s.splineOrder, dtype)]);
  if (isSeparate(s)) {
    const rows = centers.flatMap((_, i) => columns.map(({ basis, factor }) => (basis === i ? factor : 0)));
    const factors = g.constant(dtype, [centers.length, columns.length], rows);
    const weights = g.op('MatMul', [W, factors]);
    return separateSplines(g, powers, weights, { z, spec: s, columns: columns.length, rank });
  }
  // The sum over z's columns is in the product: the powers of each column meet the same weights.
  const copies = Array.from({ length: rank ?? 1 }, () => columns).flat();
  const factors = g.constant(
    dtype,
    [centers.length, copies.length],
    centers.flatMap((_, i) => copies.map(({ basis, factor }) => (basis === i ? factor : 0))),
  );
  const weights = g.op('Gemm', [factors, W], { transA: 1, transB: 1 });
  if (rank !== undefined)
    return g.op('MatMul', [g.op('Reshape', [powers, g.ints([-1, copies.length])]), weights]);
  const times = g.op('Shape', [W], { start: 0, end: 1 });
  const repeated = g.op('Tile', [weights, g.op('Concat', [times, g.ints([1])], { axis: 0 })]);
  const width = g.op('Mul', [times, g.ints([columns.length])]);
  const rows = g.op('Concat', [g.ints([-1]), width], { axis: 0 });
  return g.op('MatMul', [g.op('Reshape', [powers, rows]), repeated]);
}

const isSeparate = (s: SplineSpec): boolean => s.spline === 'per-dimension' || s.spline === 'per-pair';

/**
 * The sum of the columns of each coordinate of z, (n · r, columns) or in three axes, weighted by the splines that read it, (r, columns)
 * or (r, r, columns): → (n, r).
 */
function separateSplines(
  g: GraphBuilder,
  values: string,
  weights: string,
  { z, spec, columns, rank }: { z: string; spec: SplineSpec; columns: number; rank?: number },
): string {
  if (spec.spline === 'per-dimension') {
    const shape =
      rank === undefined
        ? g.op('Concat', [g.op('Shape', [z]), g.ints([columns])], { axis: 0 })
        : g.ints([-1, rank, columns]);
    const weighted = g.op('Mul', [g.op('Reshape', [values, shape]), weights]);
    return g.op('ReduceSum', [weighted, g.ints([-1])], { keepdims: 0 });
  }
  const shape =
    rank === undefined
      ? g.op('Concat', [g.op('Shape', [z], { start: 0, end: 1 }), g.ints([-1])], { axis: 0 })
      : g.ints([-1, rank * columns]);
  // One product sums over the columns and over z's coordinates.
  const flat = g.op('Reshape', [weights, g.ints([0, -1])]);
  return g.op('Gemm', [g.op('Reshape', [values, shape]), flat], { transB: 1 });
}

/** max(0, 1 − d) for d ≥ 0: in one pass where ONNX Runtime has HardSigmoid for the type. */
const tent = (g: GraphBuilder, d: string, dtype: number): string =>
  dtype === DType.float
    ? g.op('HardSigmoid', [d], { alpha: { float: -1 }, beta: { float: 1 } })
    : g.op('Relu', [g.op('Sub', [g.scalar(1, dtype), d])]);

/**
 * Order 1 has corners. Cox–de Boor's intervals are half-open, so its slope at a knot is the one to the right;
 * comparisons reproduce that, while |t| and Relu would not.
 */
function sumOfHats(
  g: GraphBuilder,
  z: string,
  W: string,
  s: SplineSpec,
  dtype: number,
  rank?: number,
): string {
  const centers = basisCenters(s);
  const column = g.op('Unsqueeze', [z, g.ints([-1])]);
  const offset = g.op('Sub', [column, g.constant(dtype, [centers.length], centers)]);
  const t = g.op('Mul', [offset, g.scalar(1 / gridStep(s), dtype)]);
  const one = g.scalar(1, dtype);
  const zero = g.scalar(0, dtype);
  const sides = g.op('Where', [g.op('Less', [t, zero]), g.op('Add', [one, t]), g.op('Sub', [one, t])]);
  const inside = g.op('And', [g.op('GreaterOrEqual', [t, g.scalar(-1, dtype)]), g.op('Less', [t, one])]);
  const bases = g.op('Where', [inside, sides, zero]);
  if (isSeparate(s)) return separateSplines(g, bases, W, { z, spec: s, columns: centers.length, rank });
  const sum = g.op('ReduceSum', [bases, g.ints([-2])], { keepdims: 0 });
  return g.op('MatMul', [sum, g.op('Transpose', [W])]);
}
