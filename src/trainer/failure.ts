import { Journal } from '../runs/journal';
import { runPaths } from '../runs/layout';
import { readStatus } from '../runs/status';
import { AuroraError } from '../shared/errors';
import type { NewEvent } from '../shared/events';
import { writeLastStatus } from './pulse';

/** An error as the journal keeps it. */
export function failedEvent(step: number, e: unknown): NewEvent {
  const known = e instanceof AuroraError ? e : undefined;
  return {
    kind: 'failed',
    step,
    error: known?.kind ?? 'failed',
    message: (e as Error).message,
    hint: known?.hint,
  };
}

/**
 * Leaves the word of an error from before training in a run folder that somebody watches already, where
 * the trainer has not left it itself. What the disk refuses is passed over: the error goes on to the terminal.
 */
export function recordFailure(run: string, e: unknown): void {
  try {
    if (readStatus(run)?.state === 'failed') return;
    const journal = Journal.open(runPaths(run).events);
    journal.append(failedEvent(0, e));
    journal.close();
    writeLastStatus(run, 'failed');
  } catch {
    return;
  }
}
