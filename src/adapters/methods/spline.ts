import type { GraphBuilder } from '../../graph/builder';

/** A uniform B-spline: G intervals on [lo, hi], order k, zero outside its support. */
export interface SplineSpec {
  gridSize: number;
  splineOrder: number;
  gridRange: [number, number];
}

export const basisCount = (s: SplineSpec): number => s.gridSize + s.splineOrder;

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

/** One basis at distance t (in grid steps) from its center. */
export function basis(order: number, t: number): number {
  const { outer, inner, weight, norm } = FORMS[order];
  const u = Math.abs(t);
  const near = weight ? weight * Math.max(0, inner - u) ** order : 0;
  return norm * (Math.max(0, outer - u) ** order - near);
}

/**
 * Nodes for Σ over the rank dimensions of all bases: z (…, r) → (…, G+k). The result lacks the factor `norm`, which is
 * cheaper to apply to the small W.
 */
export function basisSum(
  g: GraphBuilder,
  z: string,
  s: SplineSpec,
  dtype: number,
): { sum: string; norm: number } {
  const column = g.op('Unsqueeze', [z, g.ints([-1])]);
  const bases = s.splineOrder === 1 ? hats(g, column, s, dtype) : smoothBases(g, column, s, dtype);
  return { sum: g.op('ReduceSum', [bases, g.ints([-2])], { keepdims: 0 }), norm: FORMS[s.splineOrder].norm };
}

function smoothBases(g: GraphBuilder, column: string, s: SplineSpec, dtype: number): string {
  const { outer, inner, weight } = FORMS[s.splineOrder];
  const h = gridStep(s);
  const centers = basisCenters(s).map((c) => c / h);
  const scaled = g.op('Mul', [column, g.scalar(1 / h, dtype)]);
  const u = g.op('Abs', [g.op('Sub', [scaled, g.constant(dtype, [centers.length], centers)])]);
  const power = (edge: number) => {
    const m = g.op('Relu', [g.op('Sub', [g.scalar(edge, dtype), u])]);
    const square = g.op('Mul', [m, m]);
    return s.splineOrder === 2 ? square : g.op('Mul', [square, m]);
  };
  return g.op('Sub', [power(outer), g.op('Mul', [power(inner), g.scalar(weight, dtype)])]);
}

/**
 * Order 1 has corners. Cox–de Boor's intervals are half-open, so its slope at a knot is the one to the right;
 * comparisons reproduce that, while |t| and Relu would not.
 */
function hats(g: GraphBuilder, column: string, s: SplineSpec, dtype: number): string {
  const centers = basisCenters(s);
  const offset = g.op('Sub', [column, g.constant(dtype, [centers.length], centers)]);
  const t = g.op('Mul', [offset, g.scalar(1 / gridStep(s), dtype)]);
  const one = g.scalar(1, dtype);
  const zero = g.scalar(0, dtype);
  const sides = g.op('Where', [g.op('Less', [t, zero]), g.op('Add', [one, t]), g.op('Sub', [one, t])]);
  const inside = g.op('And', [g.op('GreaterOrEqual', [t, g.scalar(-1, dtype)]), g.op('Less', [t, one])]);
  return g.op('Where', [inside, sides, zero]);
}
