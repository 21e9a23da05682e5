/** Repeated measurements, rounded to a tenth. */
export interface Quantiles {
  median: number;
  p95: number;
  worst: number;
}

export function quantiles(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (q: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] * 10) / 10;
  return { median: at(0.5), p95: at(0.95), worst: at(1) };
}
