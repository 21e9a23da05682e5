import { writerOf } from '../../files/fence';
import { Journal } from '../../runs/journal/journal';
import { parseJournal } from '../../runs/journal/reader';
import { runPaths } from '../../runs/layout';
import { readStatus, writeStatus } from '../../runs/status';
import { AuroraError } from '../../base/errors';
import type { EventBase, NewEvent, RunEvent, RunState } from '../../protocol/events';
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

/** A full disk also refuses the word that it is full; the error itself is reported by the caller. */
export async function attempt(action: () => unknown): Promise<void> {
  try {
    await action();
  } catch {
    return;
  }
}

/** For a write that is not essential: what the disk refuses is left as it is. */
export async function unlessRefused(write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (e) {
    if (!(e instanceof AuroraError && e.kind === 'disk')) throw e;
  }
}

/**
 * Leaves the word of an error from before training in a run folder that somebody watches already, where
 * the trainer has not left it itself. What the disk refuses is passed over: the error goes on to the terminal. Where the
 * trainer's own last line is there and only its status was refused, the status follows that line.
 */
export function recordFailure(run: string, e: unknown): void {
  try {
    const status = readStatus(run);
    if (status?.state === 'failed') return;
    const path = runPaths(run).events;
    const journal = Journal.open(path);
    const ended = lastWord(path, parseJournal(journal.content(), path).at(-1));
    if (!ended) journal.append(failedEvent(0, e));
    journal.close();
    if (ended && status) writeStatus(run, { ...status, state: ended });
    else writeLastStatus(run, 'failed');
  } catch {
    return;
  }
}

/** How the run ended, where this very process has written so into its journal. */
function lastWord(path: string, last: EventBase | undefined): Exclude<RunState, 'running'> | undefined {
  const isMine = last?.w !== undefined && writerOf(path)?.nonce.startsWith(last.w);
  const { kind } = (last ?? {}) as Partial<RunEvent>;
  return isMine && (kind === 'failed' || kind === 'finished' || kind === 'stopped') ? kind : undefined;
}
