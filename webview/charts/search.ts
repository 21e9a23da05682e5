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
