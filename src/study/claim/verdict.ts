import { type MetricName, senseOf } from '../../experiment/metrics';
import { resolutionOf } from '../metric';
import { boundOf, type Difference } from '../statistics/difference';
import { crossed, pairedT } from '../statistics/paired-tests';
import type { LookPlan } from './look-plan';

/** The claim about two methods, fixed before its runs. */
export interface Terms {
  relation: 'better' | 'not-worse';
  /** The smallest difference that matters, above 0, in the metric's own unit. */
  by: number;
}

/** One run on the examples that the claim is tested on. */
export interface TestedRun {
  /** The metric's value. */
  value: number;
  examples: number;
  /**
   * A number for each example, whose mean is the value: the example's own, or its pseudo-value. Undefined where no
   * predictions are known, or the metric cannot be split by them.
   */
  rows?: Float64Array;
}

/**
 * `supported`: the difference is greater than `claimed`, that is 0 for better, and −by for not worse. `refuted`: it is
 * less than that plus `by`. `small`: both, so better by less than `by`, or worse by less than `by`. `open`: neither is
 * certain.
 */
export type Finding = 'supported' | 'refuted' | 'small' | 'open';

/** One-sided levels of both ends of the interval: the lower end can support a claim, the upper end refute it. */
export interface Levels {
  lower: number;
  upper: number;
}

export interface LookResult {
  seeds: number;
  /** The level of the look, and those of both ends: less than it where one of several comparisons is enough. */
  level: number;
  levels: Levels;
  /** `crossed`: over seeds and examples, both treated as samples. `seeds`: over seeds, for these examples only. */
  kind: 'crossed' | 'seeds';
  /**
   * The mean of the first method minus the other, positive where the first is better, also where less is better; in the
   * metric's unit.
   */
  difference: number;
  /** The ends of its interval; both are the difference itself if it has no variance. */
  lower: number;
  upper: number;
  finding: Finding;
}

/**
 * One look at two methods.
 *
 * @param first the runs of the method that is claimed to be better or not worse, with at least `plan.seeds`, of which
 *     later ones are ignored
 * @param than those of the other, with the same seeds in the same order
 * @param levels of both ends; see `levelFor`
 * @throws RangeError if there are too few runs, or fewer than two
 */
export function look(
  metric: MetricName,
  terms: Terms,
  first: readonly TestedRun[],
  than: readonly TestedRun[],
  plan: LookPlan,
  levels: Levels = levelFor(plan, 1, 'each'),
): LookResult {
  const { kind, difference } = differenceIn(metric, first, than, plan.seeds);
  const { mean, parts } = difference;
  const below = boundOf(parts, 2 * levels.lower);
  const above = levels.upper === levels.lower ? below : boundOf(parts, 2 * levels.upper);
  const ends = { lower: mean - below, upper: mean + above };
  // Equal differences without a smallest step have no variance to test by but that of rounding, so nothing is certain.
  const finding = below > ROUNDING * Math.abs(mean) ? findingOf(terms, ends) : 'open';
  return { seeds: plan.seeds, level: plan.level, levels, kind, difference: mean, ...ends, finding };
}

const ROUNDING = 1e-9;

/**
 * The difference of a look, with the components of its variance; `crossed` with its rows: by example, for each seed.
 */
export function differenceIn(
  metric: MetricName,
  first: readonly TestedRun[],
  than: readonly TestedRun[],
  seeds: number,
): { kind: LookResult['kind']; difference: Difference; rows?: Float64Array[] } {
  if (seeds < 2 || first.length < seeds || than.length < seeds)
    throw new RangeError(`${first.length} and ${than.length} runs for a look at ${seeds} seeds.`);
  const runs = [...first.slice(0, seeds), ...than.slice(0, seeds)];
  const examples = Math.min(...runs.map((run) => run.examples));
  const resolution = resolutionOf(metric, examples);
  const sense = senseOf(metric);
  const rows = runs.flatMap((run) => run.rows ?? []);
  const [{ length }] = rows.length > 0 ? rows : [[]];
  if (rows.length < runs.length || length < 2 || rows.some((row) => row.length !== length)) {
    const bySeed = first.slice(0, seeds).map(({ value }, i) => sense * (value - than[i].value));
    return { kind: 'seeds', difference: pairedT(bySeed, resolution) };
  }
  const differences = rows
    .slice(0, seeds)
    .map((row, s) => row.map((value, i) => sense * (value - rows[seeds + s][i])));
  return { kind: 'crossed', difference: crossed(differences, resolution), rows: differences };
}

/** The difference from which on a claim is true. */
export const marginOf = ({ relation, by }: Terms): number => (relation === 'better' ? 0 : -by);

function findingOf(terms: Terms, { lower, upper }: { lower: number; upper: number }): Finding {
  const claimed = marginOf(terms);
  const isMore = lower > claimed;
  const isLess = upper < claimed + terms.by;
  if (isMore) return isLess ? 'small' : 'supported';
  return isLess ? 'refuted' : 'open';
}

/**
 * The levels of one of several comparisons of a claim, such that the level of the look holds for the verdict on all of
 * them. A statement about each opponent needs no correction: to be wrong about it, the one comparison in which it does
 * not hold must be wrong (an intersection-union test; Berger, Technometrics 24, 1982). A statement about any opponent
 * can be wrong by each of the comparisons, so that each gets its share of the level (Bonferroni). What supports the
 * claim and what refutes it are opposites: "better than each" is refuted by any opponent, and "better than any" by all
 * of them.
 *
 * @param count the number of opponents
 * @param of `each`: the claim is about all of them; `any`: about at least one
 */
export const levelFor = ({ level }: LookPlan, count: number, of: 'each' | 'any'): Levels =>
  of === 'each' ? { lower: level, upper: level / count } : { lower: level / count, upper: level };

/**
 * The verdict of one look on all opponents, at the levels of `levelFor`. Supported if each comparison supports the
 * claim, or any does; refuted if any comparison refutes it, or each does. `small` is both.
 *
 * @param results of each opponent, at least one
 */
export function verdictOf(results: readonly LookResult[], of: 'each' | 'any'): Finding {
  const supports = results.map(({ finding }) => finding === 'supported' || finding === 'small');
  const refutes = results.map(({ finding }) => finding === 'refuted' || finding === 'small');
  const isMore = of === 'each' ? supports.every(Boolean) : supports.some(Boolean);
  const isLess = of === 'each' ? refutes.some(Boolean) : refutes.every(Boolean);
  if (isMore) return isLess ? 'small' : 'supported';
  return isLess ? 'refuted' : 'open';
}
