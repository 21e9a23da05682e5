import { isMetric, type MetricName } from '../experiment/metrics';
import type { ImportedEvent, RunEvent } from '../protocol/events';
import type { RunSummary } from './run-summary';

/** The run's metric; one that this version does not know is read as the loss. */
export const metricOf = (run: RunSummary): MetricName =>
  isMetric(run.spec.training.metric) ? run.spec.training.metric : 'loss';

/** The best evaluation so far by the run's own metric; undefined before the first. */
export const bestEvaluation = (run: RunSummary): Extract<RunEvent, { kind: 'evaluation' }> | undefined => {
  const evaluations = run.events.filter((e) => e.kind === 'evaluation');
  return evaluations.findLast((e) => e.best) ?? evaluations.at(-1);
};

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
