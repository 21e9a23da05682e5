import { CROSS, markPath } from './chart-marks';
import type { ChartView } from './line-chart';
import { DASHES, VALIDATION_DASH, type ChartColors } from './chart-colors';

/** Index of the first element of the ascending `x` that is at least `value`; `x.length` if there is none. */
export function lowerBound(x: Float64Array, value: number): number {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (x[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the last element of the ascending `x` that is at most `value`; -1 if there is none. */
export function lastAtMost(x: Float64Array, value: number): number {
  const at = lowerBound(x, value);
  return at < x.length && x[at] === value ? at : at - 1;
}

/** Index of the nearest element of the ascending `x`; -1 if it is empty. */
export function nearest(x: Float64Array, value: number): number {
  if (x.length === 0) return -1;
  const after = Math.min(lowerBound(x, value), x.length - 1);
  return after > 0 && value - x[after - 1] <= x[after] - value ? after - 1 : after;
}

/** The part of `x` to draw between `min` and `max`, with one neighbor on each side, so that lines reach the edge. */
export function drawnRange(x: Float64Array, min: number, max: number): [from: number, to: number] {
  return [Math.max(0, lowerBound(x, min) - 1), Math.min(x.length, lastAtMost(x, max) + 2)];
}

/** A line or points. `x` is ascending and as long as `y`; non-finite values are gaps. */
export interface Curve {
  x: Float64Array;
  y: Float64Array;
  /** Index into ChartColors.series and DASHES, modulo their lengths. */
  color: number;
  dash: number;
  /** CSS pixels. */
  width: number;
  /** Drawn faintly under a smoothed curve of the same color. */
  faint?: boolean;
  /** Marks every value; for few values. */
  points?: boolean;
  /** On the validation data: drawn in the color's other shade, and dashed whatever `dash` says, which sets its marks. */
  validation?: boolean;
  /** Only a cross at each value, without a line: what was measured of a diverged model, over the curve that it is part of. */
  crosses?: boolean;
}

/** Maps data to canvas pixels. */
export interface Projection {
  min: number;
  max: number;
  log: boolean;
  x(value: number): number;
  y(value: number): number;
}

const drawable = (value: number, log: boolean) => Number.isFinite(value) && (!log || value > 0);

/** Smallest and largest drawable value between `min` and `max`; undefined if there is none. */
export function extent(
  curves: readonly Curve[],
  min: number,
  max: number,
  log: boolean,
): [low: number, high: number] | undefined {
  let low = Infinity;
  let high = -Infinity;
  for (const { x, y } of curves) {
    const [from, to] = drawnRange(x, min, max);
    const least = log ? Number.MIN_VALUE : -Number.MAX_VALUE;
    for (let i = from; i < to; i++) {
      const value = y[i];
      // Each comparison is false for NaN.
      if (!(value >= least && value <= Number.MAX_VALUE) || x[i] < min || x[i] > max) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? [low, high] : undefined;
}

/** The curve as a path through each of its values; for few values, see columns.ts. */
export function linePath({ x, y }: Curve, p: Projection): Path2D {
  const path = new Path2D();
  const [from, to] = drawnRange(x, p.min, p.max);
  let pen = false;
  for (let i = from; i < to; i++) {
    if (!drawable(y[i], p.log)) {
      pen = false;
      continue;
    }
    const [left, top] = [p.x(x[i]), p.y(y[i])];
    if (pen) path.lineTo(left, top);
    else {
      path.moveTo(left, top);
      // A value between two gaps must stay visible.
      path.lineTo(left + 0.5, top);
    }
    pen = true;
  }
  return path;
}

/** Marks at the values within the axis; see mark-path.ts for their shapes. */
export function pointsPath({ x, y, dash, crosses }: Curve, p: Projection, radius: number): Path2D {
  const path = new Path2D();
  const [from, to] = drawnRange(x, p.min, p.max);
  for (let i = from; i < to; i++)
    if (x[i] >= p.min && x[i] <= p.max && drawable(y[i], p.log))
      path.addPath(new Path2D(markPath(crosses ? CROSS : dash % 4, p.x(x[i]), p.y(y[i]), radius)));
  return path;
}

/** The ends of the y axis: the values in view with some margin, within the possible range. */
export function rangeY(view: Omit<ChartView, 'xLabel'>): [number, number] {
  const { curves, min, max, log, fromZero, within: [least, most] = [-Infinity, Infinity] } = view;
  const found = extent(curves, min, max, log === true);
  if (!found) return log ? [0.1, 10] : [0, 1];
  const [low, high] = found;
  // Values beyond what is possible are shown, rather than cut off.
  const [bottom, top] = [Math.min(least, low), Math.max(most, high)];
  // Rounding errors of a value that is always the same are no curve.
  const flat = high - low <= 1e-9 * Math.max(Math.abs(low), Math.abs(high));
  if (log) {
    const [from, to] = flat ? [low / 2, high * 2] : [low / 1.1, high * 1.1];
    return [bottom > 0 ? Math.max(bottom, from) : from, Math.min(top, to)];
  }
  if (fromZero) return [0, Math.min(top, high * 1.1) || 1];
  const margin = flat ? Math.abs(low) * 0.1 || 1 : (high - low) * 0.06;
  // No axis below zero for values that are never negative.
  const from = low >= 0 ? Math.max(0, low - margin) : low - margin;
  return [Math.max(bottom, from), Math.min(top, high + margin)];
}

/** The style of a curve on a canvas or in a file; dashes in CSS pixels. */
interface Stroke {
  color: string;
  dash: readonly number[];
  opacity: number;
}

export function strokeOf(
  {
    color,
    dash,
    faint,
    validation,
    crosses,
  }: Pick<Curve, 'color' | 'dash' | 'faint' | 'validation' | 'crosses'>,
  { series, shades, warning }: ChartColors,
): Stroke {
  return {
    color: crosses ? warning : (validation ? shades : series)[color % series.length],
    dash: validation ? VALIDATION_DASH : DASHES[dash % DASHES.length],
    opacity: faint ? 0.45 : 1,
  };
}
