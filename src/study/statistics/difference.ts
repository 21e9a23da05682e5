import { criticalT, lnGamma, normalCdf, twoSided } from './distributions';

/** A component of a mean's variance, and the degrees of freedom of its estimate. */
interface Part {
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

/** Number of steps in Simpson's rule: nine digits. */
const STEPS = 800;

/**
 * The power of the two-sided test at `alpha` for a true difference: the mean is normal, and the first component's
 * estimated variance is s² times the true one, where s² is χ²/df (with one component, the noncentral t distribution).
 * The other components are treated as known.
 *
 * @param parts the true components of the variance of the mean, fewest degrees of freedom first
 */
export function power(difference: number, parts: readonly Part[], alpha: number): number {
  const [first, ...others] = parts;
  const { df } = first;
  const error = errorOf({ parts });
  const estimated = (boundOf([first], alpha) / error) ** 2;
  const known = (boundOf(others, alpha) / error) ** 2;
  const shift = difference / error;
  const width = 9 / Math.sqrt(df);
  const [from, to] = [Math.max(0, 1 - width), 1 + width];
  const scale = Math.LN2 + (df / 2) * Math.log(df / 2) - lnGamma(df / 2);
  const at = (s: number): number => {
    const density =
      s === 0 ? (df > 1 ? 0 : Math.exp(scale)) : Math.exp(scale + (df - 1) * Math.log(s) - (df * s * s) / 2);
    const bound = Math.sqrt(estimated * s * s + known);
    return density * (normalCdf(shift - bound) + normalCdf(-shift - bound));
  };
  const h = (to - from) / STEPS;
  let sum = at(from) + at(to);
  for (let i = 1; i < STEPS; i++) sum += (i % 2 ? 4 : 2) * at(from + i * h);
  return (sum * h) / 3;
}

/** The true difference that the test detects with power `wanted`; undefined without any variance. */
export function detectableDifference(parts: readonly Part[], alpha = 0.05, wanted = 0.8): number | undefined {
  const error = errorOf({ parts });
  if (error === 0) return undefined;
  if (parts.length > 1) return findDetectable(parts, alpha, wanted);
  // In units of the error, it depends only on the degrees of freedom, which most comparisons of a study have in common.
  const [{ df }] = parts;
  const key = `${df} ${alpha} ${wanted}`;
  let known = ofOne.get(key);
  if (known === undefined) ofOne.set(key, (known = findDetectable([{ variance: 1, df }], alpha, wanted)));
  return known * error;
}

const ofOne = new Map<string, number>();

function findDetectable(parts: readonly Part[], alpha: number, wanted: number): number {
  const error = errorOf({ parts });
  const miss = (shift: number) => power(shift * error, parts, alpha) - wanted;
  let [low, high] = [0, 4];
  let [atLow, atHigh] = [alpha - wanted, miss(high)];
  while (atHigh < 0) {
    [low, atLow] = [high, atHigh];
    high *= 2;
    atHigh = miss(high);
  }
  let at = high;
  for (let i = 0; i < 60 && high - low > 1e-9 * high; i++) {
    // Every third step bisects, so that neither end gets stuck.
    at = i % 3 === 2 ? (low + high) / 2 : low + ((high - low) * atLow) / (atLow - atHigh);
    const value = miss(at);
    if (Math.abs(value) < 1e-9) break;
    if (value < 0) [low, atLow] = [at, value];
    else [high, atHigh] = [at, value];
  }
  return at * error;
}
