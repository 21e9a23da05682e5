import { statSync } from 'node:fs';
import { hostname } from 'node:os';
import type { MetricName } from '../../experiment/metrics';
import { presenceNow } from '../../files/processes';
import { isPassing } from '../../files/read';
import { type AnyEvaluation, bestBy, type Evaluation, isAnyEvaluation } from '../../protocol/evaluations';
import type { StopReason } from '../../protocol/events';
import type { ClusterTrial } from '../../protocol/run-files/cluster';
import type { UnexpectedEnd } from '../../protocol/run-files/unexpected-end';
import { runPaths } from '../layout';
import { hasDiverged, stateOf } from '../outcome';
import { readRunSummary, type RunSummary } from '../run-summary';
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
function unreadTrial(record: TrialRecord, folder: string | undefined, e: unknown): TrialView {
  const none = { record, state: 'failed' as const, step: 0, steps: 0, evaluations: [] };
  return { ...none, folder, error: { message: (e as Error).message } };
}

/** @throws AuroraError 'run' if the run is damaged or cannot be read, or the system's error */
function readTrial(record: TrialRecord, folder: string | undefined, now = Date.now()): TrialView {
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

/** A folder that changed this recently may change again without getting a new time stamp. */
const UNSETTLED_MS = 2000;

/** Looks at trials repeatedly, and reads only the folders that may have changed. */
export class TrialLooker {
  private readonly known = new Map<string, { version: string; view: TrialView }>();

  /**
   * While a network disk does not answer, a trial is as it was: as a failed one, it would lose its comparison for good.
   *
   * @throws the error if it was never read
   */
  look(record: TrialRecord, folder: string | undefined, now = Date.now()): TrialView {
    try {
      return this.read(record, folder, now);
    } catch (e) {
      if (!isPassing(e)) return unreadTrial(record, folder, e);
      const known = this.known.get(record.id);
      if (!known) throw e;
      return { ...known.view, record };
    }
  }

  private read(record: TrialRecord, folder: string | undefined, now: number): TrialView {
    const version = folder === undefined ? '' : versionOf(folder, record, now);
    const known = this.known.get(record.id);
    if (known && known.version === version && version !== '' && !isBusy(known.view))
      return known.view.record === record ? known.view : { ...known.view, record };
    const view = readTrial(record, folder, now);
    this.known.set(record.id, { version, view });
    return view;
  }
}

/**
 * Changes whenever a file is replaced (so with every heartbeat), the journal grows, or a trainer is started; '' while
 * that is uncertain.
 */
function versionOf(folder: string, { launched }: TrialRecord, now: number): string {
  const made = statSync(folder, { throwIfNoEntry: false })?.mtimeMs;
  if (made === undefined || now - made < UNSETTLED_MS) return '';
  return `${made}:${launched?.at}:${statSync(runPaths(folder).events, { throwIfNoEntry: false })?.size}`;
}
