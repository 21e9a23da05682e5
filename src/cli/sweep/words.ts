import { relative } from 'node:path';
import { bestOf, type TrialView } from '../../runs/sweep/look';
import type { SweepRecord } from '../../runs/sweep/record';
import type { MetricName } from '../../shared/experiment';
import { score, settingsText } from '../../shared/sweep';
import { percent } from '../progress';

export const METRICS: Record<MetricName, string> = {
  loss: 'loss',
  accuracy: 'accuracy',
  f1: 'F1',
  matthews: 'MCC',
};

/** As the other commands write the metric. */
export const metricText = (metric: MetricName, value: number): string =>
  metric === 'loss' ? value.toFixed(4) : metric === 'matthews' ? value.toFixed(3) : percent(value);

/** "accuracy 61.2 %", the best so far; empty before the first evaluation. */
export function valueOf(trial: TrialView, metric: MetricName): string {
  const best = bestOf(trial, metric);
  return best ? `${METRICS[metric]} ${metricText(metric, best.metrics[metric])}` : '';
}

export const settingsOf = ({ record }: TrialView, { varied }: Pick<SweepRecord, 'varied'>): string =>
  settingsText(record.settings, varied) || 'as it is';

/** The best first; those without an evaluation last, and equal ones by number. */
export function ranked(trials: readonly TrialView[], metric: MetricName): TrialView[] {
  const value = (t: TrialView) => {
    const best = bestOf(t, metric);
    return best ? score(metric, best.metrics[metric]) : -Infinity;
  };
  const difference = (a: TrialView, b: TrialView) => (value(a) === value(b) ? 0 : value(b) - value(a));
  return [...trials].sort((a, b) => difference(a, b) || a.record.number - b.record.number);
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
  if (state === 'stopped' && reason === 'rung') return `waiting${at}`;
  if (state === 'finished' || state === 'waiting' || state === 'starting') return state;
  return `${state}${at}`;
}
