import { r2Text, roughPercent } from '../../base/number-text';
import type { CallOut } from '../../protocol/panels/activations';
import type { Shape } from './curves';

/** The paper's figures show layers that bend; with 98% of a curve's variance on a line, a LoRA does as well. */
const NEARLY_LINEAR = 0.98;
/** Half of the data where the output hardly responds: the layer passes on little but a sign. */
const MOSTLY_SATURATED = 0.5;
/** One value in twenty where the spline is zero is more than the tails of a fitted range. */
const MUCH_OUTSIDE = 0.05;
/** Below this a "largest change" is noise of a step or two, in units of the curve's own spread. */
const WORTH_MENTIONING = 0.05;
/** Coverage of a suggested range: all but one in a thousand, as extremes would stretch the grid for nothing. */
export const RANGE_SHARE = 0.999;

export interface LayerShape extends Shape {
  path: string;
  /** Share of z outside the spline's support; undefined without a spline. */
  outside?: number;
  /** Quantiles of z over all coordinates that leave out (1 − RANGE_SHARE) in total. */
  reach: [number, number];
}

export interface GridSpec {
  gridRange: [number, number];
  gridSize: number;
}

/** Maximum findings of one kind: the sorted grid shows the rest. */
const MOST_OF_A_KIND = 3;

/** Notable findings among the layers, most serious first. */
export function callOuts(layers: readonly LayerShape[], grid: GridSpec): CallOut[] {
  return [
    ...outside(layers, grid),
    ...saturated(layers),
    ...linear(layers),
    ...bent(layers),
    ...changed(layers),
  ];
}

function outside(layers: readonly LayerShape[], grid: GridSpec): CallOut[] {
  const share = (l: LayerShape) => l.outside ?? 0;
  return worst(layers, share, MUCH_OUTSIDE).map((l) => {
    const range = widerRange(l.reach, grid);
    const said = { kind: 'outside' as const, path: l.path };
    if (range)
      return {
        ...said,
        sentence: "{0}: {1} of z lies outside the spline's support; widen gridRange to {2}.",
        values: [l.path, spoken(share(l)), list(range)],
      };
    return {
      ...said,
      sentence:
        "{0}: {1} of z lies outside the spline's support; a smaller learning rate keeps z nearer to zero.",
      values: [l.path, spoken(share(l))],
    };
  });
}

const saturated = (layers: readonly LayerShape[]): CallOut[] =>
  worst(layers, (l) => l.saturation, MOSTLY_SATURATED).map((l) => ({
    kind: 'saturated',
    path: l.path,
    sentence:
      '{0}: for {1} of z the curve is flat or its activation saturated; a smaller learning rate keeps z nearer to zero.',
    values: [l.path, spoken(l.saturation)],
  }));

function linear(layers: readonly LayerShape[]): CallOut[] {
  const lines = layers.filter((l) => l.linearity >= NEARLY_LINEAR);
  if (lines.length === 0) return [];
  if (lines.length > MOST_OF_A_KIND) {
    const most = lines.reduce((a, b) => (b.linearity > a.linearity ? b : a));
    return [
      {
        kind: 'linear',
        path: most.path,
        sentence:
          '{0} of {1} layers stayed nearly linear over their data (R² of a straight line {2} or more), most of all {3} ({4}); LoRA would do as well there.',
        values: [
          String(lines.length),
          String(layers.length),
          String(NEARLY_LINEAR),
          most.path,
          r2Text(most.linearity),
        ],
      },
    ];
  }
  return lines.map((l) => ({
    kind: 'linear',
    path: l.path,
    sentence:
      '{0} stayed nearly linear over its data (R² of a straight line {1}); LoRA would do as well there.',
    values: [l.path, r2Text(l.linearity)],
  }));
}

function bent(layers: readonly LayerShape[]): CallOut[] {
  const most = layers.reduce<LayerShape | undefined>(
    (a, b) => (a && a.linearity <= b.linearity ? a : b),
    undefined,
  );
  if (!most || most.linearity >= NEARLY_LINEAR) return [];
  return [
    {
      kind: 'bent',
      path: most.path,
      sentence: '{0} bends most: a straight line explains {1} of the variance of its curve over the data.',
      values: [most.path, spoken(most.linearity)],
    },
  ];
}

function changed(layers: readonly LayerShape[]): CallOut[] {
  const moved = layers.filter((l) => Number.isFinite(l.relativeChange));
  const most = moved.reduce<LayerShape | undefined>(
    (a, b) => (a && a.relativeChange >= b.relativeChange ? a : b),
    undefined,
  );
  if (!most || most.relativeChange < WORTH_MENTIONING) return [];
  return [
    {
      kind: 'changed',
      path: most.path,
      sentence: '{0} changed most since the first snapshot: by {1} of the spread of its curve.',
      values: [most.path, spoken(most.relativeChange)],
    },
  ];
}

const worst = (
  layers: readonly LayerShape[],
  measure: (l: LayerShape) => number,
  atLeast: number,
): LayerShape[] =>
  layers
    .filter((l) => measure(l) >= atLeast)
    .sort((a, b) => measure(b) - measure(a))
    .slice(0, MOST_OF_A_KIND);

/** Integers around the observed range, symmetric if the grid is; undefined if the grid is already as wide. */
function widerRange([low, high]: [number, number], { gridRange }: GridSpec): [number, number] | undefined {
  let [lo, hi] = [Math.min(gridRange[0], Math.floor(low)), Math.max(gridRange[1], Math.ceil(high))];
  if (gridRange[0] === -gridRange[1]) [lo, hi] = [Math.min(lo, -hi), Math.max(hi, -lo)];
  return lo < gridRange[0] || hi > gridRange[1] ? [lo, hi] : undefined;
}

const list = (range: [number, number]): string => `[${range[0]}, ${range[1]}]`;

/** For use in a sentence. */
const spoken = (share: number): string => roughPercent(share, 'less than 0.1%');
