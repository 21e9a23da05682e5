import { isAnyEvaluation } from '../shared/sweep';
import type { RunSummary } from './read';

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

/** Whether a run's training diverged, at its end or before it. */
export const hasDiverged = (run: Pick<RunSummary, 'result' | 'events' | 'status'>): boolean =>
  outcomeOf(run) === 'diverged' ||
  (run.status?.state === 'failed' && run.events.findLast((e) => e.kind === 'failed')?.error === 'diverged');
