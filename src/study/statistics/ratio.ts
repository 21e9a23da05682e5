import { criticalT } from './distributions';
import { meanOf } from './summary';

/** A ratio with the ends of its 95% interval. */
export interface Ratio {
  value: number;
  low: number;
  high: number;
}

/**
 * The ratio of two paired means with its 95% interval by Fieller's theorem (Journal of the Royal Statistical Society B 16,
 * 1954): all ρ for which the paired t test of x − ρ·y finds no difference from 0. The samples may be correlated, and the
 * interval is not symmetric.
 *
 * @param y of the same length as `x`
 * @returns undefined if the mean of y is not clearly different from 0 at the same level, so that no ratio can be excluded
 */
export function ratioOfMeans(x: ArrayLike<number>, y: ArrayLike<number>): Ratio | undefined {
  const n = x.length;
  if (n < 2) return undefined;
  const [a, b] = [meanOf(x), meanOf(y)];
  let [xx, xy, yy] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    xx += (x[i] - a) ** 2;
    xy += (x[i] - a) * (y[i] - b);
    yy += (y[i] - b) ** 2;
  }
  // (a − ρb)² ≤ t² (xx − 2ρ·xy + ρ²·yy), with the variances of the means, is quadratic in ρ: p·ρ² − 2q·ρ + r ≤ 0.
  const scale = criticalT(n - 1, 0.05) ** 2 / (n * (n - 1));
  const p = b * b - scale * yy;
  const q = a * b - scale * xy;
  const r = a * a - scale * xx;
  if (!(p > 0)) return undefined;
  // Never below 0, since ρ = a/b satisfies the inequality; rounding may differ.
  const root = Math.sqrt(Math.max(0, q * q - p * r));
  return { value: a / b, low: (q - root) / p, high: (q + root) / p };
}
