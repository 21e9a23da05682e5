import { type MetricName, metricValue } from '../../experiment/metrics';
import { bestBy, isAnyEvaluation } from '../../protocol/evaluations';
import { experimentName } from '../../runs/layout';
import { metricOf, stopReason } from '../../runs/run-facts';
import { runLabel } from '../../runs/run-labels';
import { hasDiverged } from '../../runs/outcome';
import type { RunSummary } from '../../runs/run-summary';
import type { TrialRecord } from '../../runs/sweep/record';
import type { RunEntry, SweepEntry } from './store';

export { bestEvaluation, checkpointSteps, importOf, metricOf, stopReason } from '../../runs/run-facts';
export { labelOfId, runLabel, shortId } from '../../runs/run-labels';

/** A trial's label: its run's, once there is one. */
export function trialLabel(
  { numbers }: Pick<SweepEntry, 'numbers'>,
  record: TrialRecord,
  entry?: RunEntry,
): string {
  const number = numbers?.get(record.id);
  const numbered = number === undefined ? {} : { number };
  return runLabel(entry ?? { user: {}, id: record.run ?? record.id, trial: record, ...numbered });
}

/** The name of a run's experiment, or of its file if the run cannot be read. */
export const experimentLabel = ({ run, experiment }: Pick<RunEntry, 'run' | 'experiment'>): string =>
  run?.spec.name ?? experimentName(experiment);

/** The time when a run started, in ms since 1970; undefined if unknown. */
export const startTime = (run: RunSummary): number | undefined =>
  run.status?.startedAt ?? run.events.at(0)?.t ?? timeOfId(run.id);

/** The time when a run last changed, in ms since 1970. */
export const lastTime = (run: RunSummary): number | undefined => {
  const times = [run.status?.heartbeat, run.events.at(-1)?.t].filter((t) => t !== undefined);
  return times.length > 0 ? Math.max(...times) : timeOfId(run.id);
};

/** True if a sweep has pruned it. */
export const isPruned = ({ state, run }: Pick<RunEntry, 'state' | 'run'>): boolean =>
  state === 'stopped' && stopReason(run) === 'pruned';

function timeOfId(id: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-/.exec(id);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** A row that is drawn again for each change of a trial asks for those of thousands. */
const known = new WeakMap<RunSummary, { metric: MetricName; value: number }>();

/**
 * A run's best value, computed once; NaN if it has none, or has diverged.
 *
 * @param metric need not be the one that training chose by
 */
export function bestValueOf(run: RunSummary, metric = metricOf(run)): number {
  const before = known.get(run);
  if (before?.metric === metric) return before.value;
  const best = hasDiverged(run) ? undefined : bestBy(metric, run.events.filter(isAnyEvaluation));
  const value = best ? metricValue(best.metrics, metric) : NaN;
  known.set(run, { metric, value });
  return value;
}
