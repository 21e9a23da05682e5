/** The integers that a group of values may have. */
export interface Grid {
  low: number;
  high: number;
  /** The integer of the group, or number between two, that stands for 0. */
  zero: number;
  /** True if the scale may be negative, so that the side with one more integer holds the largest value. */
  signed: boolean;
  /** A scale as its type stores it. */
  stored: (scale: number) => number;
}

/** Shares of a range: with few integers, a smaller one rounds most values better and clips a few. */
const RANGES = [1, 0.95, 0.9, 0.85, 0.8];

/**
 * Rounds values to the integers of a group that had a scale and a zero point before: the zero point stays, and the scale
 * that rounds them best is chosen from the one before and the least squares' for the integers that it, or a scale that fits
 * the range of the values, gives. Values that are on the grid of before stay exactly as they are.
 *
 * @param codes the integers, as many as values
 * @returns the scale, and the sum of squared errors
 */
export function refit(
  values: Float32Array,
  { low, high, zero, signed, stored }: Grid,
  before: number,
  codes: Float32Array,
): { scale: number; error: number } {
  let scale = before;
  let error = errorOf(before);
  // Nothing rounds better than a grid that has the values.
  if (error === 0) return fill();
  for (const step of steps()) {
    const fitted = stored(leastSquares(step));
    const own = errorOf(fitted);
    if (own < error) [scale, error] = [fitted, own];
  }
  return fill();

  function code(v: number, step: number): number {
    const nearest = Math.round(v / step + zero);
    return nearest < low ? low : nearest > high ? high : nearest;
  }

  function errorOf(step: number): number {
    if (!(Math.abs(step) > 0)) return values.some((v) => v !== 0) ? Infinity : 0;
    let sum = 0;
    for (const v of values) sum += (v - Math.fround((code(v, step) - zero) * step)) ** 2;
    return sum;
  }

  function leastSquares(step: number): number {
    let cross = 0;
    let square = 0;
    for (const v of values) {
      const c = code(v, step) - zero;
      cross += v * c;
      square += c * c;
    }
    return square > 0 ? cross / square : step;
  }

  function steps(): number[] {
    const [least, most] = values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [0, 0]);
    const [below, above] = [zero - low, high - zero];
    const widest = [
      Math.max(above > 0 ? most / above : 0, below > 0 ? -least / below : 0),
      -Math.max(below > 0 ? most / below : 0, above > 0 ? -least / above : 0),
    ].filter((step) => step !== 0 && (signed || step > 0 === before >= 0));
    const ranges = high - low < 16 ? RANGES : [1];
    return [...(before === 0 ? [] : [before]), ...widest.flatMap((step) => ranges.map((r) => step * r))];
  }

  function fill(): { scale: number; error: number } {
    values.forEach((v, i) => (codes[i] = Math.abs(scale) > 0 ? code(v, scale) : Math.round(zero)));
    return { scale, error: Number.isFinite(error) ? error : values.reduce((sum, v) => sum + v * v, 0) };
  }
}
