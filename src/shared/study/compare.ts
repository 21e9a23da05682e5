import type { MetricName } from '../experiment';
import { seedOf, type Group } from './groups';
import type { ExampleOutcomes, StudyRun } from './run';
import { detectableShift } from './statistics/power';
import { chanceOf, crossed, exactMcNemar, halfOf, pairedT, type Difference } from './statistics/paired';
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
  /** The chance of a difference so far from none, where there is none. */
  chance?: number;
  /** The same, corrected by Holm's method for all comparisons of the study. */
  corrected?: number;
  /** A true difference that such a test sees in four of five cases, at 5 % two-sided. Undefined without any spread. */
  detectable?: number;
}

type Pair = readonly [StudyRun, StudyRun];

/** Two groups by the seeds that they share, and by their examples where predictions are kept. */
export function compareGroups(a: Group, b: Group, metric: MetricName): Comparison {
  const pairs = pairsOf(a, b);
  const seeds = pairs.map(([run]) => seedOf(run));
  const base = { a: a.label, b: b.label, seeds };
  if (pairs.length === 0)
    return { ...base, kind: 'none', mean: a.metrics[metric].mean - b.metrics[metric].mean };
  const bySeed = pairs.map(([x, y]) => x.metrics[metric] - y.metrics[metric]);
  const byExample = rowsOf(pairs, metric);
  if (pairs.length === 1) {
    if (!byExample) return { ...base, kind: 'none', mean: bySeed[0] };
    const [row] = byExample;
    const tested = test({ ...base, kind: 'examples', examples: row.length }, pairedT(row));
    return metric === 'accuracy' ? { ...tested, chance: mcNemarOf(row) } : tested;
  }
  // Another split for each seed leaves no example that all of them judge.
  if (!byExample || pairs[0][0].spec.data.validation === undefined)
    return test({ ...base, kind: 'seeds' }, pairedT(bySeed));
  return test({ ...base, kind: 'crossed', examples: byExample[0].length }, crossed(byExample));
}

function test(base: Omit<Comparison, 'mean'>, difference: Difference): Comparison {
  const { mean, error, df } = difference;
  return {
    ...base,
    mean,
    half: halfOf(difference),
    chance: chanceOf(difference),
    ...(error > 0 && { detectable: error * detectableShift(df) }),
  };
}

const pairsOf = (a: Group, b: Group): Pair[] =>
  a.runs.flatMap((x) => {
    const y = b.runs.find((run) => seedOf(run) === seedOf(x));
    return y ? [[x, y] as const] : [];
  });

/** What one run is better at on each example, seed by seed; undefined where it is not known of all of them. */
function rowsOf(pairs: readonly Pair[], metric: MetricName): Float64Array[] | undefined {
  if (metric !== 'accuracy' && metric !== 'loss') return undefined;
  const column = (e: ExampleOutcomes) => (metric === 'accuracy' ? e.correct : e.loss);
  const [first] = pairs[0];
  const rows = pairs.flatMap(([{ examples: x }, { examples: y }]) => {
    const isSame = (e: ExampleOutcomes | undefined): e is ExampleOutcomes =>
      e?.data === first.examples?.data &&
      e?.correct.length === first.examples?.correct.length &&
      e !== undefined;
    if (!isSame(x) || !isSame(y)) return [];
    const [of, against] = [column(x), column(y)];
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
