import type { Difference } from './difference';
import { incompleteBeta } from './distributions';
import { meanOf } from './summary';

/**
 * The paired t test. Over seeds it generalizes to other seeds on the same validation examples, not to other examples.
 *
 * @param differences at least two
 * @param resolution the change of the metric by one example; 0 if any value can occur
 */
export function pairedT(differences: ArrayLike<number>, resolution = 0): Difference {
  const n = differences.length;
  const mean = meanOf(differences);
  const variance = beyondRounding(varianceOf(differences, mean, resolution) / n, mean);
  return { mean, parts: [{ variance, df: n - 1 }] };
}

/**
 * The variance of a mean; 0 if it is that of rounding, as between equal differences of metrics that are not equal
 * themselves: it would make any difference certain.
 */
const beyondRounding = (variance: number, mean: number): number =>
  variance > (ROUNDING * mean) ** 2 ? variance : 0;

const ROUNDING = 1e-9;

/**
 * The variance of differences, never below that of one example: a metric that counts examples cannot resolve less, and
 * two seeds with equal differences would have no variance at all. With this bound, the t test on whole numbers of
 * examples has a false alarm rate no higher than its level, exactly, for two or more seeds.
 */
function varianceOf(differences: ArrayLike<number>, mean: number, resolution: number): number {
  let squares = 0;
  for (let i = 0; i < differences.length; i++) squares += (differences[i] - mean) ** 2;
  return Math.max(squares / (differences.length - 1), resolution ** 2);
}

/**
 * Differences of each seed (rows) at each validation example (columns), with both as samples (crossed random factors;
 * Clark, Journal of Verbal Learning and Verbal Behavior 12, 1973). The mean squares give the variance (MS_seeds +
 * MS_examples − MS_rest) / (S·N), never below that of seeds or examples alone. MS_seeds has S − 1 degrees of freedom,
 * whatever the examples.
 *
 * @param rows at least two, of the same length of at least two
 * @param resolution the change of a row's mean by one example; 0 if any value can occur
 */
export function crossed(rows: readonly ArrayLike<number>[], resolution = 0): Difference {
  const [S, N] = [rows.length, rows[0].length];
  const bySeed = rows.map(meanOf);
  const byExample = new Float64Array(N);
  for (const row of rows) for (let i = 0; i < N; i++) byExample[i] += row[i] / S;
  const mean = meanOf(bySeed);
  let examples = 0;
  let rest = 0;
  for (let i = 0; i < N; i++) {
    examples += (S * (byExample[i] - mean) ** 2) / (N - 1);
    for (let s = 0; s < S; s++)
      rest += (rows[s][i] - bySeed[s] - byExample[i] + mean) ** 2 / ((S - 1) * (N - 1));
  }
  const seeds = N * varianceOf(bySeed, mean, resolution);
  return {
    mean,
    parts: [
      { variance: beyondRounding(seeds / (S * N), mean), df: S - 1 },
      { variance: beyondRounding((examples - Math.min(rest, seeds)) / (S * N), mean), df: N - 1 },
    ],
  };
}

/**
 * McNemar's exact test for one pair of runs: of all examples that exactly one run gets right, whether one run has more
 * than expected by chance (binomial with ½, two-sided).
 */
export function exactMcNemar(onlyFirst: number, onlySecond: number): number {
  const n = onlyFirst + onlySecond;
  const k = Math.min(onlyFirst, onlySecond);
  return n === 2 * k ? 1 : Math.min(1, 2 * incompleteBeta(0.5, n - k, k + 1));
}

/**
 * p-values adjusted by Holm's step-down method (Scandinavian Journal of Statistics 6, 1979): the smallest times m, the
 * next times m − 1, and so on, none below the one before it.
 */
export function holm(chances: readonly number[]): number[] {
  const order = chances.map((_, i) => i).sort((a, b) => chances[a] - chances[b]);
  const out = new Array<number>(chances.length);
  let least = 0;
  order.forEach((at, rank) => {
    least = Math.max(least, Math.min(1, (chances.length - rank) * chances[at]));
    out[at] = least;
  });
  return out;
}
