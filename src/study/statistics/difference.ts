import { criticalT, twoSided } from './student';

/** A component of a mean's variance, and the degrees of freedom of its estimate. */
export interface Part {
  variance: number;
  df: number;
}

/** A mean difference; the components of its variance are independent and add up, fewest degrees of freedom first. */
export interface Difference {
  mean: number;
  parts: readonly Part[];
}

/** The standard error of the mean. */
export const errorOf = ({ parts }: Pick<Difference, 'parts'>): number =>
  Math.sqrt(parts.reduce((sum, { variance }) => sum + variance, 0));

/**
 * The difference that has a probability of at most `alpha` under the null hypothesis: √(Σ t²·variance), with t for each
 * component's own degrees of freedom. With one component this is Student's t test. With several it never exceeds
 * `alpha`, whatever their true shares (Banerjee, Sankhyā 22, 1960). Degrees of freedom estimated from the observed
 * shares (Satterthwaite) exceed it several times if the seeds happen to agree.
 */
export const boundOf = (parts: readonly Part[], alpha: number): number =>
  Math.sqrt(parts.reduce((sum, { variance, df }) => sum + criticalT(df, alpha) ** 2 * variance, 0));

/** Half of the 95% interval. */
export const halfOf = ({ parts }: Difference): number => boundOf(parts, 0.05);

const SMALLEST = 1e-15;

/**
 * The p-value: the probability of a difference at least this large if there is none; undefined without any variance to
 * test by.
 */
export function chanceOf({ mean, parts }: Difference): number | undefined {
  const spread = parts.filter((p) => p.variance > 0);
  if (spread.length === 0) return undefined;
  if (mean === 0) return 1;
  if (spread.length === 1) return twoSided(mean / Math.sqrt(spread[0].variance), spread[0].df);
  return chanceAt(Math.abs(mean), spread);
}

/** The `alpha` whose bound is `size`: by the secant rule on logarithms, kept within a bracket. */
function chanceAt(size: number, parts: readonly Part[]): number {
  const off = (logAlpha: number) => Math.log(boundOf(parts, Math.exp(logAlpha)) / size);
  let [low, high] = [Math.log(SMALLEST), -1e-9];
  let [atLow, atHigh] = [off(low), off(high)];
  if (atLow <= 0) return SMALLEST;
  if (atHigh >= 0) return 1;
  let at = low;
  for (let i = 0; i < 100 && high - low > 1e-12; i++) {
    // Every third step bisects, so that neither end gets stuck.
    at = i % 3 === 2 ? (low + high) / 2 : low + ((high - low) * atLow) / (atLow - atHigh);
    const value = off(at);
    if (Math.abs(value) < 1e-12) break;
    if (value > 0) [low, atLow] = [at, value];
    else [high, atHigh] = [at, value];
  }
  return Math.exp(at);
}
