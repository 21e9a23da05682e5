import { basename } from 'node:path';
import type { RunSummary } from '../../runs/read';
import type { ImportedEvent, RunEvent } from '../../protocol/events';
import { isMetric, type MetricName } from '../../experiment/metrics';
import { methodLabel } from '../../experiment/run-names';
import { trialText } from '../../experiment/short-settings';
import type { RunEntry } from './store';

/**
 * A run's display name: the user's name for it, otherwise the settings in which it differs from the other runs of its
 * experiment (`distinctNames`). A sweep's trial is named after what distinguishes it, a run that is not known among others
 * after its method, rank and id, and one that cannot be read after its time.
 */
export function runLabel({
  user,
  name,
  id,
  run,
  trial,
}: Pick<RunEntry, 'user' | 'name' | 'id' | 'run' | 'trial'>): string {
  if (user.name !== undefined) return user.name;
  if (trial) return trialText(trial.settings) || `Trial ${trial.number}`;
  if (run && name !== undefined) return name;
  const short = shortId(id);
  return run && short ? `${methodLabel(run.spec.adapter)} · ${short}` : labelOfId(id);
}

/** The name of a run's experiment, or of its file if the run cannot be read. */
export const experimentLabel = ({ run, experiment }: Pick<RunEntry, 'run' | 'experiment'>): string =>
  run?.spec.name ?? basename(experiment);

/** "1a2b" of a run folder's id: enough to tell the runs of an experiment apart. Undefined for any other name. */
export const shortId = (id: string): string | undefined => /Z-([0-9a-f]{4})[0-9a-f]*$/.exec(id)?.[1];

/** The run's metric; one that this version does not know is read as the loss. */
export const metricOf = (run: RunSummary): MetricName =>
  isMetric(run.spec.training.metric) ? run.spec.training.metric : 'loss';

/** "2026-01-02 04:05 · 1a2b" for a run folder's id; any other name is unchanged. */
export function labelOfId(id: string): string {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-([0-9a-f]{4})[0-9a-f]*$/.exec(id);
  if (!match) return id;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  const at = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const two = (n: number) => String(n).padStart(2, '0');
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())} · ${match[7]}`;
}

/** When a run started, in ms since 1970; undefined if unknown. */
export const startTime = (run: RunSummary): number | undefined =>
  run.status?.startedAt ?? run.events.at(0)?.t ?? timeOfId(run.id);

/** When a run last changed, in ms since 1970. */
export const lastTime = (run: RunSummary): number | undefined => {
  const times = [run.status?.heartbeat, run.events.at(-1)?.t].filter((t) => t !== undefined);
  return times.length > 0 ? Math.max(...times) : timeOfId(run.id);
};

/** The best evaluation so far by the run's own metric; undefined before the first. */
export const bestEvaluation = (run: RunSummary): Extract<RunEvent, { kind: 'evaluation' }> | undefined => {
  const evaluations = run.events.filter((e) => e.kind === 'evaluation');
  return evaluations.findLast((e) => e.best) ?? evaluations.at(-1);
};

/** Whether a sweep has pruned it. */
export const isPruned = ({ state, run }: Pick<RunEntry, 'state' | 'run'>): boolean =>
  state === 'stopped' && stopReason(run) === 'pruned';

/** Why a stopped run was stopped. */
export const stopReason = (run: RunSummary | undefined): string | undefined =>
  run?.events.findLast((e) => e.kind === 'stopped')?.reason;

/** What an imported run started from. */
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
