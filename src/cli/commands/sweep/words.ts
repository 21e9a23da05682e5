import { relative } from 'node:path';
import { bestFirst, formatMetric, metricInfo, score, type MetricName } from '../../../experiment/metrics';
import { bestOf, type TrialView } from '../../../runs/sweep/look';
import type { SweepRecord } from '../../../runs/sweep/record';
import { settingsText } from '../../../experiment/sweep';

/** "accuracy 61.2 %", the best so far; empty before the first evaluation. */
export function valueOf(trial: TrialView, metric: MetricName): string {
  const best = bestOf(trial, metric);
  return best ? `${metricInfo(metric).label} ${formatMetric(metric, best.metrics[metric])}` : '';
}

export const settingsOf = ({ record }: TrialView, { varied }: Pick<SweepRecord, 'varied'>): string =>
  settingsText(record.settings, varied) || 'as it is';

/** The best first; those that diverged or have no evaluation last, and equal ones by number. */
export function ranked(trials: readonly TrialView[], metric: MetricName): TrialView[] {
  const value = (t: TrialView) => {
    const best = bestOf(t, metric);
    return best && !t.diverged ? score(metric, best.metrics[metric]) : -Infinity;
  };
  return [...trials].sort((a, b) => bestFirst(value(a), value(b)) || a.record.number - b.record.number);
}

/** A run's folder as it can be pasted: whichever is shorter. */
export function pathOf({ folder }: TrialView): string {
  const near = relative(process.cwd(), folder!);
  return near.length < folder!.length ? near : folder!;
}

/** "41 ms" or "2.3 s". */
export const stepTime = (seconds: number): string =>
  seconds < 1 ? `${Number((1000 * seconds).toPrecision(2))} ms` : `${seconds.toPrecision(2)} s`;

/** One word on how a trial is, with the step where it did not come to its end. */
export function stateText(trial: TrialView): string {
  const { state, reason, step } = trial;
  const at = step > 0 ? ` at step ${step}` : '';
  if (state === 'stopped' && reason === 'pruned') return `pruned${at}`;
  if (trial.diverged) return `diverged${at}`;
  if (state === 'stopped' && reason === 'rung') return `waiting${at}`;
  if (state === 'finished' || state === 'waiting' || state === 'starting') return state;
  return `${state}${at}`;
}
