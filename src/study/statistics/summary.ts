import { criticalT } from './distributions';

/** Summary of several runs with the same settings. */
export interface Summary {
  n: number;
  mean: number;
  /** Sample standard deviation; undefined for one value. */
  deviation?: number;
  /** Standard error of the mean, as in `half`. */
  error?: number;
  /**
   * Half of the 95% interval of the mean, by Student's t with n − 1 degrees of freedom. Equal values do not make it
   * zero if the metric counts examples: its deviation is then that of one example.
   */
  half?: number;
}

/**
 * @param values at least one
 * @param resolution the change of the metric by one example; 0 if any value can occur
 */
export function summarize(values: readonly number[], resolution = 0): Summary {
  const n = values.length;
  const mean = meanOf(values);
  if (n < 2) return { n, mean };
  const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (n - 1));
  const error = Math.max(deviation, resolution) / Math.sqrt(n);
  return { n, mean, deviation, error, half: criticalT(n - 1, 0.05) * error };
}

export const meanOf = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
};

export function median(values: ArrayLike<number>): number {
  // Typed arrays sort numbers without a call for each comparison.
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
