import { isAnyEvaluation } from '../protocol/evaluations';
import type { RunState } from '../protocol/events';
import type { RunSummary } from './read';
import { isAlive } from './status';

/**
 * What a run that came to its end came to; undefined before that. One whose last evaluation diverged has not
 * finished, whatever its result says: earlier versions did not look.
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
 * How a run is, undefined before its trainer's first word. The result is written last: a trainer that was killed
 * after it has finished all the same, whatever its status still says. `lost`: its trainer ended before it could say so.
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

/** Whether a run's training diverged, at its end or before it. */
export const hasDiverged = (run: Pick<RunSummary, 'result' | 'events' | 'status'>): boolean =>
  outcomeOf(run) === 'diverged' ||
  (run.status?.state === 'failed' && run.events.findLast((e) => e.kind === 'failed')?.error === 'diverged');
