import { CROSS, markPath } from './mark-path';
import { drawnRange } from './search';

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
