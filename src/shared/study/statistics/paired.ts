import { incompleteBeta } from './special';
import { criticalT, twoSided } from './student';
import { meanOf } from './summary';

/** A mean difference with its standard error, and the degrees of freedom that this is known with. */
export interface Difference {
  mean: number;
  error: number;
  df: number;
}

/** Half of the 95 % interval. */
export const halfOf = ({ error, df }: Difference): number => criticalT(df, 0.05) * error;

/** The chance of a difference so far from none. */
export function chanceOf({ mean, error, df }: Difference): number {
  if (mean === 0) return 1;
  return error === 0 ? 0 : twoSided(mean / error, df);
}

/**
 * The paired t test. Over seeds it speaks of other seeds on the same validation examples, not of other examples.
 *
 * @param differences at least two
 */
export function pairedT(differences: ArrayLike<number>): Difference {
  const n = differences.length;
  const mean = meanOf(differences);
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (differences[i] - mean) ** 2;
  return { mean, error: Math.sqrt(squares / (n - 1) / n), df: n - 1 };
}

/**
 * Differences of each seed (rows) at each validation example (columns), where both are samples: the mean squares of
 * seeds, examples and rest give the variance (MS_seeds + MS_examples − MS_rest) / (S·N), never below what either says
 * alone, with Satterthwaite's degrees of freedom. This is the quasi-F of a design with crossed random factors (Clark,
 * Journal of Verbal Learning and Verbal Behavior 12, 1973). The degrees of freedom leave MS_rest out, as his min F′ does.
 *
 * @param rows at least two, of the same length of at least two
 */
export function crossed(rows: readonly ArrayLike<number>[]): Difference {
  const [S, N] = [rows.length, rows[0].length];
  const bySeed = rows.map(meanOf);
  const byExample = Float64Array.from({ length: N }, (_, i) => meanOf(rows.map((r) => r[i])));
  const mean = meanOf(bySeed);
  const squares = (values: ArrayLike<number>) => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += (values[i] - mean) ** 2;
    return sum;
  };
  let rest = 0;
  rows.forEach((row, s) => {
    for (let i = 0; i < N; i++) rest += (row[i] - bySeed[s] - byExample[i] + mean) ** 2;
  });
  const seeds = (N * squares(bySeed)) / (S - 1);
  const examples = (S * squares(byExample)) / (N - 1);
  const whole = Math.max(seeds + examples - rest / ((S - 1) * (N - 1)), seeds, examples);
  const df = whole ** 2 / (seeds ** 2 / (S - 1) + examples ** 2 / (N - 1));
  return { mean, error: Math.sqrt(whole / (S * N)), df: Number.isFinite(df) ? Math.max(S - 1, df) : S - 1 };
}

/**
 * McNemar's exact test of one pair of runs: whether the examples that one alone gets right are more than chance would
 * give it of all that just one gets right (binomial with ½, two-sided).
 */
export function exactMcNemar(onlyFirst: number, onlySecond: number): number {
  const n = onlyFirst + onlySecond;
  const k = Math.min(onlyFirst, onlySecond);
  return n === 2 * k ? 1 : Math.min(1, 2 * incompleteBeta(0.5, n - k, k + 1));
}
