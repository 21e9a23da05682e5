import { incompleteBeta } from './special';

/** The probability of a |t| at least this large under Student's distribution; `df` may be fractional. */
export const twoSided = (t: number, df: number): number => incompleteBeta(df / (df + t * t), df / 2, 0.5);

/** The t that |t| exceeds with probability `alpha`: 4.303 for two degrees of freedom and 0.05. */
export function criticalT(df: number, alpha: number): number {
  if (alpha !== USUAL) return findCriticalT(df, alpha);
  let known = usual.get(df);
  if (known === undefined) usual.set(df, (known = findCriticalT(df, alpha)));
  return known;
}

/** A study of thousands of groups asks for the same few values. */
const USUAL = 0.05;
const usual = new Map<number, number>();

function findCriticalT(df: number, alpha: number): number {
  let low = 0;
  let high = 1;
  while (twoSided(high, df) > alpha) high *= 2;
  for (let i = 0; i < 200 && high - low > 1e-12 * high; i++) {
    const middle = (low + high) / 2;
    if (twoSided(middle, df) > alpha) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
