import { isAnyEvaluation } from '../protocol/evaluations';
import type { RunState } from '../protocol/events';
import type { RunSummary } from './run-summary';
import { isAlive } from './status';

/**
 * The outcome of a run that has ended; undefined before that.
 */
export function outcomeOf({
  result,
  events,
}: Pick<RunSummary, 'result' | 'events'>): 'finished' | 'diverged' | undefined {
  if (!result || !('steps' in result)) return undefined;
  const isDead = events.findLast(isAnyEvaluation)?.kind === 'diverged-evaluation';
  return isDead || result.outcome === 'diverged' ? 'diverged' : 'finished';
}

/**
 * A run's state; undefined before its trainer's first status. The result is written last, so a trainer that was killed
 * after that has finished even if its status still says otherwise. `lost`: the trainer ended without reporting it.
 *
 * @param now milliseconds since 1970
 */
export function stateOf(
  run: Pick<RunSummary, 'result' | 'events' | 'status'>,
  now = Date.now(),
): RunState | 'diverged' | 'lost' | undefined {
  if (isAlive(run.status, now)) return 'running';
  const state = run.status?.state;
  return outcomeOf(run) ?? (state === 'running' ? 'lost' : state);
}

/** True if a run's training diverged, at its end or before. */
export const hasDiverged = (run: Pick<RunSummary, 'result' | 'events' | 'status'>): boolean =>
  outcomeOf(run) === 'diverged' ||
  (run.status?.state === 'failed' && run.events.findLast((e) => e.kind === 'failed')?.error === 'diverged');

/**
 * The displayed state of a run. `lost`: it claims to be running but no process does so. `queued`: a cluster's scheduler has
 * it, for the first time or again (`runs/sweep/cluster-file.ts`).
 */
export type ShownState =
  'queued' | 'starting' | 'running' | 'finished' | 'stopped' | 'failed' | 'lost' | 'damaged';

/** True if a trainer works on it, or is about to. */
export const isActive = (state: ShownState): boolean => state === 'running' || state === 'starting';

/** A run folder without a status for so long never started. A cold start takes a few seconds. */
const STARTUP_MS = 30_000;

/** The displayed state of a run. `made` is when its spec.json was written; times in ms since 1970. */
export function shownState(run: RunSummary, made: number, now = Date.now()): ShownState {
  const state = stateOf(run, now);
  switch (state) {
    case undefined:
      return Math.abs(now - made) < STARTUP_MS ? 'starting' : 'lost';
    case 'running':
      return run.events.some((e) => e.kind === 'started') ? 'running' : 'starting';
    case 'diverged':
      return 'failed';
    case 'finished':
    case 'stopped':
    case 'failed':
      return state;
    default:
      return 'lost';
  }
}
