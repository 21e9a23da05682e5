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

/** ln Γ(x) for x > 0: Lanczos' approximation with g = 7 and nine terms, relative error below 1e-13. */
export function lnGamma(x: number): number {
  const t = x + 6.5;
  const sum = LANCZOS.reduce((a, c, i) => a + c / (x - 1 + i));
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

const TINY = 1e-300;

/** The regularized incomplete beta function I_x(a, b), by its continued fraction (Numerical Recipes, 6.4). */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast only on this side.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(
    a * Math.log(x) + b * Math.log1p(-x) + lnGamma(a + b) - lnGamma(a) - lnGamma(b) - Math.log(a),
  );
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let h = d;
  for (let m = 1; m < 1000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let factor = 1;
    for (const term of [even, odd]) {
      d = 1 / away(1 + term * d);
      c = away(1 + term / c);
      factor = c * d;
      h *= factor;
    }
    if (Math.abs(factor - 1) < 1e-15) break;
  }
  return front * h;
}

/** Lentz's method divides by values that may be zero. */
const away = (v: number): number => (Math.abs(v) < TINY ? TINY : v);

/** The standard normal distribution function, by Marsaglia's series (Journal of Statistical Software 11, 2004). */
export function normalCdf(z: number): number {
  if (z < -8) return 0;
  if (z > 8) return 1;
  let sum = z;
  let term = z;
  for (let i = 3; sum + term !== sum; i += 2) {
    term *= (z * z) / i;
    sum += term;
  }
  return 0.5 + sum * Math.exp(-0.5 * z * z - 0.5 * Math.log(2 * Math.PI));
}
