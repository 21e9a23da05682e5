/** Significant digits of a number that are shown; see numberText. */
const DIGITS = 4;

/** By how much `a` is more than `b`, to the last decimal that is shown of them. */
export function difference(a: number, b: number): number {
  const size = Math.max(Math.abs(a), Math.abs(b));
  const whole = size === 0 ? 1 : Math.floor(Math.log10(size)) + 1;
  return Number((a - b).toFixed(Math.min(Math.max(DIGITS - whole, 0), 100)));
}
