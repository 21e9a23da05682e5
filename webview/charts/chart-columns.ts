import { drawnRange, type Curve, type Projection } from './curve';

/** With more values per column than this, a curve is drawn by columns. */
const DENSE = 4;
/** Opacity of a noisy curve, which is drawn as bars. */
const TRANSLUCENT = 0.75;

/** The part of a curve in each pixel column, from left to right; columns without values are omitted. */
interface Columns {
  length: number;
  /** The column's middle in canvas pixels. */
  x: Float64Array;
  first: Float64Array;
  low: Float64Array;
  high: Float64Array;
  last: Float64Array;
  /** 1 if the line connects to the previous column, 0 after a gap. */
  joined: Uint8Array;
}

/** Only one curve is drawn at a time, many times a second, so they all share the same arrays. */
const scratch: Columns = {
  length: 0,
  x: new Float64Array(0),
  first: new Float64Array(0),
  low: new Float64Array(0),
  high: new Float64Array(0),
  last: new Float64Array(0),
  joined: new Uint8Array(0),
};

/**
 * First, smallest, largest and last value of each column: everything that is visible, at a drawing cost bounded by the
 * canvas's width. Undefined if the curve has few values in view.
 * @param width of a column, in canvas pixels
 * @returns valid until the next call
 */
export function columnsOf({ x, y }: Curve, p: Projection, width: number): Columns | undefined {
  const [from, to] = drawnRange(x, p.min, p.max);
  const left = p.x(p.min);
  const count = Math.ceil((p.x(p.max) - left) / width);
  if (to - from <= DENSE * count) return undefined;
  // One value on each side may be outside.
  reserve(count + 4);
  const out = scratch;
  const least = p.log ? Number.MIN_VALUE : -Number.MAX_VALUE;
  const perColumn = ((p.max - p.min) * width) / (p.x(p.max) - left);
  let k = -1;
  let column = NaN;
  let end = -Infinity;
  let joined = 0;
  for (let i = from; i < to; i++) {
    const value = y[i];
    // Each comparison is false for NaN.
    if (!(value >= least && value <= Number.MAX_VALUE)) {
      joined = 0;
      continue;
    }
    // Values are assigned to a column by x alone, without projecting each.
    if (x[i] < end) {
      if (value < out.low[k]) out.low[k] = value;
      if (value > out.high[k]) out.high[k] = value;
      out.last[k] = value;
      joined = 1;
      continue;
    }
    // At least the next one, even if rounding says otherwise.
    const at = Math.floor((x[i] - p.min) / perColumn);
    column = at > column || k < 0 ? at : column + 1;
    end = p.min + (column + 1) * perColumn;
    k++;
    out.x[k] = left + (column + 0.5) * width;
    out.first[k] = out.low[k] = out.high[k] = out.last[k] = value;
    out.joined[k] = joined;
    joined = 1;
  }
  out.length = k + 1;
  return out;
}

function reserve(length: number): void {
  if (scratch.joined.length >= length) return;
  for (const key of ['x', 'first', 'low', 'high', 'last'] as const) scratch[key] = new Float64Array(length);
  scratch.joined = new Uint8Array(length);
}

/**
 * Draws the columns with the current stroke. A quiet curve is stroked through its columns. For a noisy one, each column
 * is a bar from its smallest to its largest value: stroking the same zigzag costs many times as much, and its dashes
 * would hide values.
 */
export function drawColumns(
  ctx: CanvasRenderingContext2D,
  columns: Columns,
  p: Projection,
  width: number,
): void {
  if (isNoisy(columns, p, ctx.lineWidth)) bars(ctx, columns, p, width);
  else ctx.stroke(quietPath(columns, p));
}

function isNoisy({ length, low, high }: Columns, p: Projection, lineWidth: number): boolean {
  let sum = 0;
  for (let k = 0; k < length; k++) sum += p.y(low[k]) - p.y(high[k]);
  return sum > 2 * lineWidth * length;
}

function quietPath({ length, x, first, low, high, last, joined }: Columns, p: Projection): Path2D {
  const path = new Path2D();
  for (let k = 0; k < length; k++) {
    const y = p.y(first[k]);
    if (joined[k]) path.lineTo(x[k], y);
    else {
      path.moveTo(x[k], y);
      // A value between two gaps must stay visible.
      path.lineTo(x[k] + 0.5, y);
    }
    const [bottom, top] = [p.y(low[k]), p.y(high[k])];
    // Less than a pixel is invisible.
    if (bottom - top <= 1) continue;
    path.lineTo(x[k], bottom);
    path.lineTo(x[k], top);
    path.lineTo(x[k], p.y(last[k]));
  }
  return path;
}

function bars(ctx: CanvasRenderingContext2D, columns: Columns, p: Projection, width: number): void {
  const { length, x, first, low, high, last, joined } = columns;
  // Solid bars would hide a noisy curve of another run below.
  ctx.globalAlpha = Math.min(ctx.globalAlpha, TRANSLUCENT);
  const half = ctx.lineWidth / 2;
  const bridges = new Path2D();
  ctx.fillStyle = ctx.strokeStyle;
  let before = 0;
  for (let k = 0; k < length; k++) {
    let [bottom, top] = [p.y(low[k]), p.y(high[k])];
    if (joined[k]) {
      if (x[k] - x[k - 1] > 1.5 * width) {
        bridges.moveTo(x[k - 1], before);
        bridges.lineTo(x[k], p.y(first[k]));
      } else {
        // Includes the line from the previous column.
        bottom = Math.max(bottom, before);
        top = Math.min(top, before);
      }
    }
    before = p.y(last[k]);
    ctx.fillRect(x[k] - width / 2, Math.round(top - half), width, Math.round(bottom - top + 2 * half));
  }
  ctx.setLineDash([]);
  ctx.stroke(bridges);
}
