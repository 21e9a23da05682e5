import { metricInfo, type MetricName, metricValue } from '../experiment/metrics';
import { type Group, seedOf } from './groups';
import { resolutionOf } from './metric';
import { chanceOf, detectableDifference, type Difference, errorOf, halfOf } from './statistics/difference';
import { crossed, exactMcNemar, pairedT } from './statistics/paired-tests';
import { meanOf } from './statistics/summary';
import type { ExampleOutcomes, JudgedOn, StudyRun } from './study-run';

/**
 * The comparison of two groups. `crossed`: over seeds and examples, both treated as samples. `seeds`: over seeds alone,
 * which does not generalize to other examples. `examples`: over the examples of one seed, which does not generalize to
 * other seeds. `none`: no test is possible.
 */
export type ComparisonKind = 'crossed' | 'seeds' | 'examples' | 'none';

/** The comparison of `a` minus `b`, in the metric's own unit (an accuracy of 0.01 is a point). */
export interface Comparison {
  a: string;
  b: string;
  kind: ComparisonKind;
  /** Seeds that both have in common. */
  seeds: number[];
  /** The data that the runs are compared on. */
  on: JudgedOn;
  /** Number of paired examples. */
  examples?: number;
  mean: number;
  /** The mean of `b`, which a relative difference is a share of: over the common seeds, if there are any. */
  from: number;
  /** Half of the 95% interval. */
  half?: number;
  /**
   * The p-value: the probability of a difference at least this large if there is none. Undefined if nothing was or
   * could be tested.
   */
  chance?: number;
  /** The p-value adjusted by Holm's method for all comparisons of the study. */
  corrected?: number;
  /**
   * The true difference that such a test detects in four of five cases, at 5% two-sided. Undefined without any
   * variance.
   */
  detectable?: number;
}

type Pair = readonly [StudyRun, StudyRun];

/** The basis for comparing two groups, and the difference with its variance if a test is possible. */
interface Measured {
  kind: ComparisonKind;
  seeds: number[];
  examples?: number;
  mean: number;
  from: number;
  difference?: Difference;
  /** The p-value of McNemar's test, if it replaces the t test's. */
  exact?: number;
}

/** Compares two groups by their common seeds, and by their examples if predictions are stored. */
export function compareGroups(a: Group, b: Group, metric: MetricName): Comparison {
  const { difference, exact, ...measured } = measure(a, b, metric);
  const base = { a: a.label, b: b.label, on: a.runs.at(0)?.on ?? ('validation' as const), ...measured };
  const chance = exact ?? (difference && chanceOf(difference));
  const detectable = difference && detectableDifference(difference.parts);
  return {
    ...base,
    ...(difference && errorOf(difference) > 0 && { half: halfOf(difference) }),
    chance,
    detectable,
  };
}

/** The quantities that `compareGroups` tests, without the test. */
export function measure(
  a: Pick<Group, 'runs' | 'metrics'>,
  b: Pick<Group, 'runs' | 'metrics'>,
  metric: MetricName,
): Measured {
  const pairs = pairsOf(a.runs, b.runs);
  const seeds = pairs.map(([run]) => seedOf(run));
  if (pairs.length === 0)
    return {
      ...{ kind: 'none', seeds },
      mean: a.metrics[metric].mean - b.metrics[metric].mean,
      from: b.metrics[metric].mean,
    };
  const from = meanOf(pairs.map(([, y]) => metricValue(y.metrics, metric)));
  const bySeed = pairs.map(([x, y]) => metricValue(x.metrics, metric) - metricValue(y.metrics, metric));
  const byExample = rowsOf(pairs, metric);
  if (pairs.length === 1) {
    if (!byExample) return { kind: 'none', seeds, mean: bySeed[0], from };
    const [row] = byExample;
    const difference = pairedT(row);
    const exact = metricInfo(metric).meanOf === 'correct' ? { exact: mcNemarOf(row) } : {};
    return {
      ...{ kind: 'examples', seeds, examples: row.length, mean: difference.mean, from, difference },
      ...exact,
    };
  }
  // With a different split for each seed, no example is common to all of them.
  const [{ on = 'validation', spec }] = pairs[0];
  if (!byExample || (on === 'validation' && spec.data.validation === undefined)) {
    const judged = Math.min(...pairs.flat().map((run) => run.metrics.examples));
    const difference = pairedT(bySeed, resolutionOf(metric, judged));
    return { kind: 'seeds', seeds, mean: difference.mean, from, difference };
  }
  const examples = byExample[0].length;
  const difference = crossed(byExample, resolutionOf(metric, examples));
  return { kind: 'crossed', seeds, examples, mean: difference.mean, from, difference };
}

const pairsOf = (a: readonly StudyRun[], b: readonly StudyRun[]): Pair[] =>
  a.flatMap((x) => {
    const y = b.find((run) => seedOf(run) === seedOf(x));
    return y ? [[x, y] as const] : [];
  });

/** The differences between two runs for each example, seed by seed; undefined if not known for all of them. */
function rowsOf(pairs: readonly Pair[], metric: MetricName): Float64Array[] | undefined {
  const { meanOf: column } = metricInfo(metric);
  if (!column) return undefined;
  const [first] = pairs[0];
  const rows = pairs.flatMap(([{ examples: x }, { examples: y }]) => {
    const valuesOf = (e: ExampleOutcomes | undefined) =>
      e?.data === first.examples?.data ? (e?.correctBy?.[metric] ?? e?.[column]) : undefined;
    const [of, against] = [valuesOf(x), valuesOf(y)];
    return of && against?.length === of.length ? [Float64Array.from(of, (v, i) => v - against[i])] : [];
  });
  const isComplete = rows.length === pairs.length && rows.every(({ length }) => length === rows[0].length);
  return isComplete && rows[0].length > 1 ? rows : undefined;
}

function mcNemarOf(row: Float64Array): number {
  const count = (sign: number) => row.filter((v) => v === sign).length;
  return exactMcNemar(count(1), count(-1));
}

/** The standard error of an accuracy due to the size of the validation set alone, the same for every group. */
export const samplingError = (accuracies: readonly number[], examples: number): number => {
  const p = meanOf(accuracies);
  return Math.sqrt((p * (1 - p)) / examples);
};
