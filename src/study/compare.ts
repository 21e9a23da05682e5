import { metricInfo, type MetricName } from '../experiment/metrics';
import { seedOf, type Group } from './groups';
import type { ExampleOutcomes, StudyRun } from './run';
import { resolutionOf } from './metric';
import { chanceOf, errorOf, halfOf, type Difference } from './statistics/difference';
import { detectableDifference } from './statistics/power';
import { crossed, exactMcNemar, pairedT } from './statistics/paired';
import { meanOf } from './statistics/summary';

/**
 * How two groups were compared. `crossed`: over seeds and validation examples, both taken as samples. `seeds`: over
 * seeds alone, which says nothing of other examples. `examples`: over the examples of one seed, which says nothing of
 * other seeds. `none`: nothing to test by.
 */
export type ComparisonKind = 'crossed' | 'seeds' | 'examples' | 'none';

/** Of `a` minus `b`, in the metric's own unit (an accuracy of 0.01 is a point). */
export interface Comparison {
  a: string;
  b: string;
  kind: ComparisonKind;
  /** Seeds that both have. */
  seeds: number[];
  /** Validation examples that were paired. */
  examples?: number;
  mean: number;
  /** Half of the 95 % interval. */
  half?: number;
  /** The chance of a difference so far from none, where there is none. Undefined where nothing was or could be tested. */
  chance?: number;
  /** The same, corrected by Holm's method for all comparisons of the study. */
  corrected?: number;
  /** A true difference that such a test sees in four of five cases, at 5 % two-sided. Undefined without any spread. */
  detectable?: number;
}

type Pair = readonly [StudyRun, StudyRun];

/** What two groups are compared by, and the difference with its spread where there is any test. */
interface Measured {
  kind: ComparisonKind;
  seeds: number[];
  examples?: number;
  mean: number;
  difference?: Difference;
  /** McNemar's, where it takes the place of the t test's. */
  exact?: number;
}

/** Two groups by the seeds that they share, and by their examples where predictions are kept. */
export function compareGroups(a: Group, b: Group, metric: MetricName): Comparison {
  const { difference, exact, ...measured } = measure(a, b, metric);
  const base = { a: a.label, b: b.label, ...measured };
  const chance = exact ?? (difference && chanceOf(difference));
  const detectable = difference && detectableDifference(difference.parts);
  return {
    ...base,
    ...(difference && errorOf(difference) > 0 && { half: halfOf(difference) }),
    ...(chance !== undefined && { chance }),
    ...(detectable !== undefined && { detectable }),
  };
}

/** What `compareGroups` tests, without the test. */
export function measure(
  a: Pick<Group, 'runs' | 'metrics'>,
  b: Pick<Group, 'runs' | 'metrics'>,
  metric: MetricName,
): Measured {
  const pairs = pairsOf(a.runs, b.runs);
  const seeds = pairs.map(([run]) => seedOf(run));
  if (pairs.length === 0)
    return { kind: 'none', seeds, mean: a.metrics[metric].mean - b.metrics[metric].mean };
  const bySeed = pairs.map(([x, y]) => x.metrics[metric] - y.metrics[metric]);
  const byExample = rowsOf(pairs, metric);
  if (pairs.length === 1) {
    if (!byExample) return { kind: 'none', seeds, mean: bySeed[0] };
    const [row] = byExample;
    const difference = pairedT(row);
    const exact = metricInfo(metric).meanOf === 'correct' ? { exact: mcNemarOf(row) } : {};
    return { kind: 'examples', seeds, examples: row.length, mean: difference.mean, difference, ...exact };
  }
  // Another split for each seed leaves no example that all of them judge.
  if (!byExample || pairs[0][0].spec.data.validation === undefined) {
    const judged = Math.min(...pairs.flat().map((run) => run.metrics.examples));
    const difference = pairedT(bySeed, resolutionOf(metric, judged));
    return { kind: 'seeds', seeds, mean: difference.mean, difference };
  }
  const examples = byExample[0].length;
  const difference = crossed(byExample, resolutionOf(metric, examples));
  return { kind: 'crossed', seeds, examples, mean: difference.mean, difference };
}

const pairsOf = (a: readonly StudyRun[], b: readonly StudyRun[]): Pair[] =>
  a.flatMap((x) => {
    const y = b.find((run) => seedOf(run) === seedOf(x));
    return y ? [[x, y] as const] : [];
  });

/** What one run is better at on each example, seed by seed; undefined where it is not known of all of them. */
function rowsOf(pairs: readonly Pair[], metric: MetricName): Float64Array[] | undefined {
  const { meanOf: column } = metricInfo(metric);
  if (!column) return undefined;
  const [first] = pairs[0];
  const rows = pairs.flatMap(([{ examples: x }, { examples: y }]) => {
    const isSame = (e: ExampleOutcomes | undefined): e is ExampleOutcomes =>
      e?.data === first.examples?.data &&
      e?.correct.length === first.examples?.correct.length &&
      e !== undefined;
    if (!isSame(x) || !isSame(y)) return [];
    const [of, against] = [x[column], y[column]];
    return [Float64Array.from(of, (v, i) => v - against[i])];
  });
  return rows.length === pairs.length && rows[0].length > 1 ? rows : undefined;
}

function mcNemarOf(row: Float64Array): number {
  const count = (sign: number) => row.filter((v) => v === sign).length;
  return exactMcNemar(count(1), count(-1));
}

/** The standard error that the validation set's own size gives an accuracy, alike for every group. */
export const samplingError = (accuracies: readonly number[], examples: number): number => {
  const p = meanOf(accuracies);
  return Math.sqrt((p * (1 - p)) / examples);
};
