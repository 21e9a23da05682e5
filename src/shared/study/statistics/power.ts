import { lnGamma, normalCdf } from './special';
import { criticalT } from './student';

/** Simpson's rule over so many steps: nine digits. */
const STEPS = 800;

/**
 * The chance that a two-sided t test sees a true difference of `shift` standard errors: the noncentral t distribution
 * as the mean of a normal one over the estimated standard deviation s, whose square is χ²/df.
 */
export function power(shift: number, df: number, alpha: number): number {
  const t = criticalT(df, alpha);
  const width = 9 / Math.sqrt(df);
  const [from, to] = [Math.max(0, 1 - width), 1 + width];
  const scale = Math.LN2 + (df / 2) * Math.log(df / 2) - lnGamma(df / 2);
  const at = (s: number): number => {
    const density =
      s === 0 ? (df > 1 ? 0 : Math.exp(scale)) : Math.exp(scale + (df - 1) * Math.log(s) - (df * s * s) / 2);
    return density * (normalCdf(shift - t * s) + normalCdf(-shift - t * s));
  };
  const h = (to - from) / STEPS;
  let sum = at(from) + at(to);
  for (let i = 1; i < STEPS; i++) sum += (i % 2 ? 4 : 2) * at(from + i * h);
  return (sum * h) / 3;
}

/** As many standard errors a true difference must be for the test to see it with a chance of `wanted`. */
export function detectableShift(df: number, alpha = 0.05, wanted = 0.8): number {
  let low = 0;
  let high = 4;
  while (power(high, df, alpha) < wanted) high *= 2;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (power(middle, df, alpha) < wanted) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
