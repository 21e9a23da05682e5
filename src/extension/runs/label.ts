import { isMetric, type MetricName, metricValue } from '../../experiment/metrics';
import { bestBy, isAnyEvaluation } from '../../protocol/evaluations';
import type { ImportedEvent, RunEvent } from '../../protocol/events';
import { experimentName } from '../../runs/layout';
import { runLabel } from '../../runs/run-labels';
import { hasDiverged } from '../../runs/outcome';
import type { RunSummary } from '../../runs/run-summary';
import type { TrialRecord } from '../../runs/sweep/record';
import type { RunEntry, SweepEntry } from './store';

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

/** The run's metric; one that this version does not know is read as the loss. */
export const metricOf = (run: RunSummary): MetricName =>
  isMetric(run.spec.training.metric) ? run.spec.training.metric : 'loss';

/** The time when a run started, in ms since 1970; undefined if unknown. */
export const startTime = (run: RunSummary): number | undefined =>
  run.status?.startedAt ?? run.events.at(0)?.t ?? timeOfId(run.id);

/** The time when a run last changed, in ms since 1970. */
export const lastTime = (run: RunSummary): number | undefined => {
  const times = [run.status?.heartbeat, run.events.at(-1)?.t].filter((t) => t !== undefined);
  return times.length > 0 ? Math.max(...times) : timeOfId(run.id);
};

/** The best evaluation so far by the run's own metric; undefined before the first. */
export const bestEvaluation = (run: RunSummary): Extract<RunEvent, { kind: 'evaluation' }> | undefined => {
  const evaluations = run.events.filter((e) => e.kind === 'evaluation');
  return evaluations.findLast((e) => e.best) ?? evaluations.at(-1);
};

/** True if a sweep has pruned it. */
export const isPruned = ({ state, run }: Pick<RunEntry, 'state' | 'run'>): boolean =>
  state === 'stopped' && stopReason(run) === 'pruned';

/** The reason why a stopped run was stopped. */
export const stopReason = (run: RunSummary | undefined): string | undefined =>
  run?.events.findLast((e) => e.kind === 'stopped')?.reason;

/** The event with the origin of an imported run. */
export const importOf = (run: RunSummary): ImportedEvent | undefined =>
  run.events.find((e) => e.kind === 'imported');

/** Steps that have, or once had, a checkpoint, ascending, without duplicates. */
export const checkpointSteps = (run: RunSummary): number[] => {
  const steps = run.events.flatMap((e) => (e.kind === 'checkpoint' ? [e.step] : []));
  return [...new Set(steps)].sort((a, b) => a - b);
};

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
