import { drawnRange } from './search';

/** A line or points. `x` ascends and has `y`'s length; what is not a finite number is a gap. */
export interface Curve {
  x: Float64Array;
  y: Float64Array;
  /** Into ChartColors.series and DASHES, modulo their lengths. */
  color: number;
  dash: number;
  /** CSS pixels. */
  width: number;
  /** Under a smoothed curve of the same colour. */
  faint?: boolean;
  /** Every value gets a mark: for few of them. */
  points?: boolean;
}

/** From data to canvas pixels. */
export interface Projection {
  min: number;
  max: number;
  log: boolean;
  x(value: number): number;
  y(value: number): number;
}

const drawable = (value: number, log: boolean) => Number.isFinite(value) && (!log || value > 0);

/** Smallest and largest of what can be drawn between `min` and `max`; undefined where there is nothing. */
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
      // Each comparison is false for what is not a number.
      if (!(value >= least && value <= Number.MAX_VALUE) || x[i] < min || x[i] > max) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? [low, high] : undefined;
}

/**
 * The curve as a path. Where many values share a pixel column only the first, smallest, largest and last are
 * drawn: the same picture, at a cost that the canvas's width bounds.
 */
export function linePath({ x, y }: Curve, p: Projection): Path2D {
  const path = new Path2D();
  const [from, to] = drawnRange(x, p.min, p.max);
  let column = NaN;
  let pen = false;
  let low = 0;
  let high = 0;
  let last = 0;
  // Values of the same half pixel are told by their x alone, without a projection of each.
  let columnEnd = -Infinity;
  const halfPixel = (p.max - p.min) / (2 * (p.x(p.max) - p.x(p.min)));
  const least = p.log ? Number.MIN_VALUE : -Number.MAX_VALUE;
  const close = () => {
    if (low === high) return;
    path.lineTo(column, p.y(low));
    path.lineTo(column, p.y(high));
    path.lineTo(column, p.y(last));
  };
  for (let i = from; i < to; i++) {
    const value = y[i];
    if (!(value >= least && value <= Number.MAX_VALUE)) {
      if (pen) close();
      pen = false;
      continue;
    }
    if (pen && x[i] < columnEnd) {
      if (value < low) low = value;
      if (value > high) high = value;
      last = value;
      continue;
    }
    const at = Math.round(p.x(x[i]) * 2) / 2;
    columnEnd = x[i] + halfPixel;
    if (pen) {
      close();
      path.lineTo(at, p.y(value));
    } else {
      path.moveTo(at, p.y(value));
      // A value between two gaps is still to be seen.
      path.lineTo(at + 0.5, p.y(value));
    }
    pen = true;
    column = at;
    low = high = last = value;
  }
  if (pen) close();
  return path;
}

/** Marks at the values; a different shape for each of four dashes, so that they differ by more than colour. */
export function pointsPath({ x, y, dash }: Curve, p: Projection, radius: number): Path2D {
  const path = new Path2D();
  const [from, to] = drawnRange(x, p.min, p.max);
  for (let i = from; i < to; i++) {
    if (!drawable(y[i], p.log)) continue;
    const cx = p.x(x[i]);
    const cy = p.y(y[i]);
    mark(path, dash % 4, cx, cy, radius);
  }
  return path;
}

function mark(path: Path2D, shape: number, cx: number, cy: number, r: number): void {
  if (shape === 0) {
    path.moveTo(cx + r, cy);
    path.arc(cx, cy, r, 0, 2 * Math.PI);
  } else if (shape === 1) path.rect(cx - r, cy - r, 2 * r, 2 * r);
  else {
    const corners = shape === 2 ? 4 : 3;
    for (let k = 0; k < corners; k++) {
      const angle = -Math.PI / 2 + (2 * Math.PI * k) / corners;
      const [px, py] = [cx + 1.3 * r * Math.cos(angle), cy + 1.3 * r * Math.sin(angle)];
      if (k === 0) path.moveTo(px, py);
      else path.lineTo(px, py);
    }
    path.closePath();
  }
}
