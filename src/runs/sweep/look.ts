import { statSync } from 'node:fs';
import { hostname } from 'node:os';
import { presenceNow } from '../../files/processes';
import type { StopReason } from '../../protocol/events';
import type { MetricName } from '../../experiment/metrics';
import type { UnexpectedEnd } from '../../protocol/run-files/unexpected-end';
import type { ClusterTrial } from '../../protocol/run-files/cluster';
import { bestBy, isAnyEvaluation, type AnyEvaluation, type Evaluation } from '../../protocol/evaluations';
import { runPaths } from '../layout';
import { hasDiverged, stateOf } from '../outcome';
import { readRunSummary, type RunSummary } from '../read';
import type { TrialRecord } from './record';

/**
 * `lost`: its trainer ended without reporting it. `queued`: a cluster's scheduler has it. `starting`: a trainer was
 * started and has not reported yet.
 */
export type TrialState =
  'waiting' | 'queued' | 'starting' | 'running' | 'finished' | 'failed' | 'stopped' | 'lost';

/** A trial's state according to its run folder. */
export interface TrialView {
  record: TrialRecord;
  /** The run's folder; undefined before it exists. */
  folder?: string;
  state: TrialState;
  step: number;
  /** 0 until the trainer has determined it. */
  steps: number;
  /** Including diverged ones: trials are compared at those too. */
  evaluations: AnyEvaluation[];
  /** For `stopped`. */
  reason?: StopReason | 'early-stopping';
  /** For `failed`. */
  error?: { error?: string; message: string; hint?: string };
  /** For `lost`, on this machine. */
  end?: UnexpectedEnd;
  /** True if it failed because its training diverged, regardless of earlier evaluations. */
  diverged?: true;
  /** Its result is written, but its trainer was killed before it could report the end. */
  unreported?: true;
  /** The scheduler's state of the trial. */
  cluster?: ClusterTrial;
  /** High-water mark in bytes, once it has finished. */
  peakMemory?: number;
}

/** If the system does not identify a process: one that has reported nothing for this long must be a different one. */
const FIRST_WORD_MS = 60_000;

/** True if a trainer has it, or will: nobody may start another one. */
export const isBusy = ({ state }: TrialView): boolean =>
  state === 'running' || state === 'starting' || state === 'queued';

/** The evaluation that a trial is judged by. */
export const bestOf = ({ evaluations }: TrialView, metric: MetricName): Evaluation | undefined =>
  bestBy(metric, evaluations);

/** @param folder the folder of the trial's run; undefined before it exists */
export function lookAtTrial(record: TrialRecord, folder: string | undefined, now = Date.now()): TrialView {
  try {
    return readTrial(record, folder, now);
  } catch (e) {
    return unreadTrial(record, folder, e);
  }
}

/** The view of a trial whose run is damaged, or cannot be read. */
export function unreadTrial(record: TrialRecord, folder: string | undefined, e: unknown): TrialView {
  const none = { record, state: 'failed' as const, step: 0, steps: 0, evaluations: [] };
  return { ...none, folder, error: { message: (e as Error).message } };
}

/** @throws AuroraError 'run' if the run is damaged or cannot be read, or the system's error */
export function readTrial(record: TrialRecord, folder: string | undefined, now = Date.now()): TrialView {
  const none: TrialView = { record, state: 'waiting', step: 0, steps: 0, evaluations: [] };
  if (folder === undefined) return none;
  const view = { ...none, folder };
  const starting = isStarting(record, folder, now);
  if (!statSync(runPaths(folder).spec, { throwIfNoEntry: false }))
    return starting ? { ...view, state: 'starting' } : none;
  return { ...view, ...tell(readRunSummary(folder), starting, now) };
}

/** True if a process was started for the trial and has not written its first status. */
function isStarting({ launched }: TrialRecord, folder: string, now: number): boolean {
  if (!launched) return false;
  const presence = presenceNow({ host: hostname(), ...launched }, launched.at);
  if (presence !== 'alive' && (presence !== 'unknown' || now - launched.at > FIRST_WORD_MS)) return false;
  try {
    const { status } = readRunSummary(folder);
    if (launched.started !== undefined && status?.started !== undefined)
      return status.pid !== launched.pid || status.started !== launched.started;
    return status === undefined || status.startedAt < launched.at;
  } catch {
    return true;
  }
}

function tell(run: RunSummary, starting: boolean, now: number): Partial<TrialView> {
  const { status, events, result } = run;
  const state = stateOf(run, now);
  const evaluations = events.filter(isAnyEvaluation);
  const at = { step: status?.step ?? 0, steps: status?.steps ?? 0, evaluations };
  if (starting) return { ...at, state: 'starting' };
  if (state === 'running') return { ...at, state };
  if (state === 'finished' && result)
    return {
      ...at,
      state,
      step: Number(result.steps),
      peakMemory: Number(result.peakMemory) || undefined,
      ...(status?.state === 'running' && { unreported: true }),
    };
  if (events.length === 0 && !status) return { ...at, state: 'waiting' };
  if (state === 'failed' || state === 'diverged') {
    const failed = events.findLast((e) => e.kind === 'failed');
    const diverged = hasDiverged(run) && ({ diverged: true } as const);
    return {
      ...at,
      state: 'failed',
      ...diverged,
      error: failed ?? { message: 'The trainer left no message.' },
    };
  }
  if (state !== 'stopped') return { ...at, state: 'lost' };
  const last = events.findLast((e) => e.kind === 'stopped' || e.kind === 'resumed');
  return { ...at, state: 'stopped', ...(last?.kind === 'stopped' && { reason: last.reason }) };
}
