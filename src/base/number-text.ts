/** A predicted or measured number of any unit: four significant digits, or all of a larger whole part. */
export function numberText(value: number): string {
  const size = Math.abs(value);
  if (size >= 1000 && size < 1e15) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(4)));
}
