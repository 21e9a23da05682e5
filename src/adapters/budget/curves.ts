import { elementCount } from '../../graph/model';
import { adapterDefaults } from '../../experiment/adapter-defaults';
import {
  aboutMethod,
  isNonlinear,
  METHOD_NAMES,
  METHOD_ORDER,
  type RankedSpec,
  type TrainedSpec,
} from '../../experiment/methods';
import type { Curve } from '../../protocol/budget';
import type { LayerShape } from '../methods/method';
import { methodOf } from '../methods/registry';

/** Modules of one shape, counted together: a large model has hundreds of modules but only a handful of shapes. */
interface ShapeCount extends LayerShape {
  modules: number;
}

/** Only this many ranks are plotted; between them the curves look straight. */
const MOST_POINTS = 64;

/**
 * Parameters by rank, for every method whose rank changes them. `spec` gives AuroRA's spline; the curves extend beyond
 * `rank`, but never beyond `limit`.
 */
export function budgetCurves(
  modules: readonly LayerShape[],
  spec: TrainedSpec,
  rank: number,
  limit: number,
): Curve[] {
  const shapes = countShapes(modules);
  const ranks = ranksUpTo(Math.min(limit, Math.max(16, 2 ** Math.ceil(Math.log2(2 * rank)))));
  return CURVES.map((usual) => {
    const drawn = isNonlinear(spec) && isNonlinear(usual) ? spec : usual;
    const method = methodOf(drawn);
    const ofModule = (layer: LayerShape, r: number) =>
      method
        .tensors({ layer, spec: { ...drawn, rank: r }, widest: layer })
        .reduce((n, t) => n + elementCount(t.dims), 0);
    return {
      id: usual.method,
      name: METHOD_NAMES[usual.method],
      formula: method.formula(drawn),
      points: ranks.map((r) => ({
        rank: r,
        parameters: shapes.reduce((sum, s) => sum + s.modules * ofModule(s, r), 0),
      })),
    };
  });
}

function countShapes(modules: readonly LayerShape[]): ShapeCount[] {
  const counts = new Map<string, ShapeCount>();
  for (const { inFeatures, outFeatures } of modules) {
    const key = `${outFeatures}x${inFeatures}`;
    const shape = counts.get(key) ?? { inFeatures, outFeatures, modules: 0 };
    counts.set(key, { ...shape, modules: shape.modules + 1 });
  }
  return [...counts.values()];
}

function ranksUpTo(last: number): number[] {
  const step = Math.max(1, Math.ceil(last / MOST_POINTS));
  const ranks = Array.from({ length: Math.floor(last / step) }, (_, i) => (i + 1) * step);
  return [...new Set([1, ...ranks, last])].sort((a, b) => a - b);
}

/** An experiment's defaults, with AuroRA's spline. */
const CURVES = METHOD_ORDER.filter((m) => aboutMethod(m).curve !== undefined)
  .sort((a, b) => aboutMethod(a).curve! - aboutMethod(b).curve!)
  .map((m) => adapterDefaults(m) as unknown as RankedSpec);
