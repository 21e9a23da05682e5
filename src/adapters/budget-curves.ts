import { elementCount } from '../graph/model';
import type { AuroraSpec, LoraSpec } from '../shared/experiment';
import type { Curve } from '../shared/budget';
import { AURORA_DEFAULTS } from './defaults';
import type { LayerShape } from './method';
import { methodOf } from './registry';

type TrainableSpec = AuroraSpec | LoraSpec;

/** Modules of one shape, counted together: a large model has hundreds of modules and a handful of shapes. */
interface ShapeCount extends LayerShape {
  modules: number;
}

/** Only as many ranks are drawn; between them the curves are straight to the eye. */
const MOST_POINTS = 64;

/**
 * Parameters over the rank, for our methods by their own code and for others by their papers' formulas. `spec`
 * gives the spline of AuroRA; the curves reach beyond `rank`, but never beyond `limit`.
 */
export function budgetCurves(
  modules: readonly LayerShape[],
  spec: TrainableSpec,
  rank: number,
  limit: number,
): Curve[] {
  const shapes = countShapes(modules);
  const ranks = ranksUpTo(Math.min(limit, Math.max(16, 2 ** Math.ceil(Math.log2(2 * rank)))));
  const curve = (
    head: Omit<Curve, 'points'>,
    ofModule: (layer: LayerShape, rank: number) => number,
  ): Curve => ({
    ...head,
    points: ranks.map((r) => ({
      rank: r,
      parameters: shapes.reduce((sum, s) => sum + s.modules * ofModule(s, r), 0),
    })),
  });
  const own = (method: TrainableSpec) => (layer: LayerShape, r: number) =>
    methodOf(method)
      .tensors(layer, { ...method, rank: r })
      .reduce((n, t) => n + elementCount(t.dims), 0);
  const aurora = spec.method === 'aurora' ? spec : AURORA;
  return [
    curve({ id: 'aurora', name: 'AuroRA', formula: auroraFormula(aurora), trainable: true }, own(aurora)),
    curve({ id: 'lora', name: 'LoRA', formula: 'r(in + out)', trainable: true }, own(LORA)),
    curve(
      { id: 'dora', name: 'DoRA', formula: 'r(in + out) + out', trainable: false },
      (l, r) => r * (l.inFeatures + l.outFeatures) + l.outFeatures,
    ),
    curve(
      { id: 'moslora', name: 'MoSLoRA', formula: 'r(in + out) + r²', trainable: false },
      (l, r) => r * (l.inFeatures + l.outFeatures) + r * r,
    ),
    curve({ id: 'vera', name: 'VeRA', formula: 'out + r', trainable: false }, (l, r) => l.outFeatures + r),
  ];
}

function auroraFormula({ fixed, learnable, gridSize, splineOrder }: AuroraSpec): string {
  const spline = `r(${gridSize} + ${splineOrder})`;
  return ['r(in + out)', fixed && 'r²', learnable && spline].filter((p) => p !== false).join(' + ');
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

const shared = {
  targetModules: 'all-linear',
  dropout: 0,
  initialization: 'kaiming-uniform',
  rank: 1,
  alpha: 1,
} as const;
const LORA: LoraSpec = { ...shared, method: 'lora', useRslora: false };
/** The spline that an experiment has by default, for the curve beside a LoRA. */
const AURORA: AuroraSpec = { ...AURORA_DEFAULTS, ...shared };
