import { gathered } from '../base/gathered';
import { type MetricName, metricValue, METRICS } from '../experiment/metrics';
import type { Experiment } from '../experiment/experiment';
import { type AdapterSpec, isHeadAlone, isReference, isSubject } from '../experiment/methods';
import { labelsOf, rankOf, type Label, groupKey, isRate, keyOf, settingsOf } from './labels';
import { resolutionOf } from './metric';
import type { StudyRun } from './study-run';
import { summarize, type Summary } from './statistics/summary';

/** Runs with the same settings that differ in their seed. */
export interface Group extends Label {
  /** Unique within its data set. */
  label: string;
  /** Its name when it is the only one of its family in the text. */
  withoutRate: Label;
  method: AdapterSpec['method'];
  rank?: number;
  learningRate: number;
  /** A key that is equal for groups that differ only in their learning rates. */
  family: string;
  /** False if another learning rate of the family was better. */
  chosen: boolean;
  /** Sorted by seed. */
  runs: StudyRun[];
  seeds: number[];
  /** Seeds of the runs that diverged, which are excluded from all numbers. */
  diverged: number[];
  metrics: Record<MetricName, Summary>;
  parameters: number;
  stepSeconds?: Summary;
  /** Bytes. */
  memory?: Summary;
}

/**
 * @param runs runs that count, from one data set
 * @param diverged the settings of runs that do not count because their training diverged
 */
export function groupsOf(runs: readonly StudyRun[], diverged: readonly Experiment[]): Group[] {
  const found = gathered(runs, (run) => groupKey(run.spec));
  const all = [...found.values()].map((runs) => ({ settings: settingsOf(runs[0].spec), runs }));
  const lostBy = gathered(diverged, groupKey);
  const lost = [...found.keys()].map((key) => lostBy.get(key) ?? []);
  const named = labelsOf(all.map(({ settings, runs }) => ({ settings, adapter: runs[0].spec.adapter })));
  const labels = new Set<string>();
  const groups = all.map(({ settings, runs }, i): Group => {
    runs.sort((a, b) => seedOf(a) - seedOf(b));
    const { adapter, training } = runs[0].spec;
    const rank = rankOf(adapter);
    const isTwin = labels.has(named[i].label);
    labels.add(named[i].label);
    return {
      label: isTwin ? `${named[i].label} (${i + 1})` : named[i].label,
      details: named[i].details,
      withoutRate: named[i].withoutRate,
      method: adapter.method,
      rank,
      learningRate: training.learningRate,
      family: keyOf(settings, isRate),
      chosen: true,
      runs,
      seeds: runs.map(seedOf),
      diverged: lost[i].map((spec) => spec.training.seed).sort((a, b) => a - b),
      metrics: metricsOf(runs),
      parameters: runs[0].parameters,
      ...optional('stepSeconds', runs),
      ...optional('memory', runs),
    };
  });
  // The rates of a search stay together, lowest first: their names as text would sort differently.
  const first = new Map<string, string>();
  for (const { family, label } of groups)
    if (!(label > (first.get(family) ?? '\uffff'))) first.set(family, label);
  return groups.sort(
    (a, b) =>
      byMethod(a, b) ||
      compare(first.get(a.family)!, first.get(b.family)!) ||
      a.learningRate - b.learningRate,
  );
}

export const seedOf = (run: StudyRun): number => run.spec.training.seed;

const metricsOf = (runs: readonly StudyRun[]): Group['metrics'] => {
  const examples = Math.min(...runs.map((r) => r.metrics.examples));
  const entries = METRICS.map((metric) => [
    metric,
    summarize(
      runs.map((r) => metricValue(r.metrics, metric)),
      resolutionOf(metric, examples),
    ),
  ]);
  return Object.fromEntries(entries) as Group['metrics'];
};

function optional(
  name: 'stepSeconds' | 'memory',
  runs: readonly StudyRun[],
): { [key in typeof name]?: Summary } {
  const values = runs.flatMap((r) => r[name] ?? []);
  return values.length > 0 ? { [name]: summarize(values) } : {};
}

/** The head alone first, then by method, rank and the remaining differences. */
function byMethod(a: Group, b: Group): number {
  const place = (g: Group) => (isHeadAlone(g) ? 0 : isReference(g) ? 1 : isSubject(g) ? 3 : 2);
  return (
    place(a) - place(b) ||
    compare(a.method, b.method) ||
    (a.rank ?? 0) - (b.rank ?? 0) ||
    a.details.length - b.details.length
  );
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
