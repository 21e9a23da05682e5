import type { MetricName } from '../../experiment/metrics';
import { boundOf, type Difference, errorOf } from '../statistics/difference';
import { meanOf } from '../statistics/summary';
import type { LookPlan } from './look-plan';
import { differenceIn, levelFor, type Levels, type Terms, type TestedRun } from './verdict';

const MOST_SEEDS = 1000;
const MOST_EXAMPLES = 10_000_000;

/** Numbers that would decide an open claim: more seeds on the same examples, or so many seeds on more examples. */
export interface Needed {
  seeds?: number;
  /** Undefined if more seeds are enough. */
  examples?: number;
}

/**
 * The smallest numbers that decide a claim whatever its true difference: its interval is then narrower than `by`, so
 * that it cannot contain both 0 and `by` (or −by and 0). They are estimates from the components of the variance as
 * observed, and many claims are decided with less. If no more than 1,000 seeds are enough, on the same examples;
 * otherwise on more examples, with the seeds of the look, doubled until any number of examples is enough. Empty if no
 * variance was observed, or nothing is enough.
 *
 * @param first the runs of the last look, as in `look`, and `than` those of the other method
 */
export function needed(
  metric: MetricName,
  { by }: Terms,
  first: readonly TestedRun[],
  than: readonly TestedRun[],
  plan: LookPlan,
  levels: Levels = levelFor(plan, 1, 'each'),
): Needed {
  const { difference, rows } = differenceIn(metric, first, than, plan.seeds);
  const decides = (parts: Difference['parts']) =>
    boundOf(parts, 2 * levels.lower) + boundOf(parts, 2 * levels.upper) < by;
  const [bySeed, ofExamples] = difference.parts;
  if (!(errorOf(difference) > 0)) return {};
  const withSeeds = (seeds: number) => ({ variance: (bySeed.variance * plan.seeds) / seeds, df: seeds - 1 });
  const seeds = smallest(plan.seeds, MOST_SEEDS, (s) =>
    decides([withSeeds(s), ...(rows ? [ofExamples] : [])]),
  );
  if (seeds !== undefined) return { seeds };
  if (!rows) return {};
  const n = rows[0].length;
  const perExample = Math.min(bySeed.variance, varianceOfMean(rows) - ofExamples.variance);
  // The spread of the seeds as a whole shrinks with the seeds alone.
  for (let s = plan.seeds; s <= MOST_SEEDS; s *= 2) {
    const examples = smallest(n, MOST_EXAMPLES, (m) =>
      decides([
        {
          variance: ((bySeed.variance - perExample + (perExample * n) / m) * plan.seeds) / s,
          df: s - 1,
        },
        { variance: (ofExamples.variance * n) / m, df: m - 1 },
      ]),
    );
    if (examples !== undefined) return { seeds: s, examples };
  }
  return {};
}

/**
 * The variance of the mean over all examples, from the mean of each over the seeds: that of the examples, and of what
 * differs by chance for each seed and example, which shrinks with both.
 */
function varianceOfMean(rows: readonly Float64Array[]): number {
  const means = rows[0].map((_, i) => meanOf(rows.map((row) => row[i])));
  const mean = meanOf(means);
  return meanOf(means.map((v) => (v - mean) ** 2)) / (means.length - 1);
}

/** The smallest whole number between both that is enough, if all greater ones are; undefined if none is. */
function smallest(from: number, to: number, isEnough: (n: number) => boolean): number | undefined {
  if (!isEnough(to)) return undefined;
  let [low, high] = [from - 1, to];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isEnough(middle)) high = middle;
    else low = middle;
  }
  return high;
}
