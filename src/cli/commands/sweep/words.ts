import { relative } from 'node:path';
import {
  bestFirst,
  formatMetric,
  metricInfo,
  type MetricName,
  metricValue,
  score,
} from '../../../experiment/metrics';
import { bestOf, type TrialView } from '../../../runs/sweep/look';
import { endReason, isExplained } from '../../../protocol/run-files/unexpected-end';
import { clusterReason } from '../../../protocol/cluster/reasons';

/** "accuracy 61.2%", the best so far; empty before the first evaluation. */
export function valueOf(trial: TrialView, metric: MetricName): string {
  const best = bestOf(trial, metric);
  return best ? `${metricInfo(metric).label} ${formatMetric(metric, metricValue(best.metrics, metric))}` : '';
}

/** Best first; diverged trials and those without an evaluation last; ties by number. */
export function ranked(trials: readonly TrialView[], metric: MetricName): TrialView[] {
  const value = (t: TrialView) => {
    const best = bestOf(t, metric);
    return best && !t.diverged ? score(metric, metricValue(best.metrics, metric)) : -Infinity;
  };
  // Once for each, not for each pair that is compared.
  const worth = new Map(trials.map((t) => [t, value(t)]));
  return [...trials].sort(
    (a, b) => bestFirst(worth.get(a)!, worth.get(b)!) || a.record.number - b.record.number,
  );
}

/** A run's folder for a command line: relative or absolute, whichever is shorter. */
export function pathOf({ folder }: TrialView): string {
  const near = relative(process.cwd(), folder!);
  return near.length < folder!.length ? near : folder!;
}

/** A trial's state in one word, with the step if it has not finished, and a cluster's addition to it. */
export function stateText(trial: TrialView): string {
  const { state, cluster, end } = trial;
  const own = state === 'lost' && end && isExplained(end) ? endReason(end) : undefined;
  const why = cluster && (state === 'lost' || state === 'queued') ? clusterReason(cluster) : own;
  return why === undefined ? ownText(trial) : `${ownText(trial)} (${why})`;
}

function ownText(trial: TrialView): string {
  const { state, reason, step } = trial;
  const at = step > 0 ? ` at step ${step}` : '';
  if (state === 'stopped' && reason === 'pruned') return `pruned${at}`;
  if (trial.diverged) return `diverged${at}`;
  if (state === 'stopped' && reason === 'rung') return `waiting${at}`;
  if (state === 'finished' || state === 'waiting' || state === 'starting') return state;
  return `${state}${at}`;
}
