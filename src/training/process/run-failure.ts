import { AuroraError } from '../../base/errors';
import { writerOf } from '../../files/fence';
import type { EventBase, NewEvent, RunEvent, RunState } from '../../protocol/events';
import { Journal } from '../../runs/journal/journal';
import { parseJournal } from '../../runs/journal/journal-reader';
import { runPaths } from '../../runs/layout';
import { readStatus, writeStatus } from '../../runs/status';
import { writeLastStatus } from './pulse';

/** An error as stored in the journal. */
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

/** A full disk also rejects the report that it is full; the caller reports the error itself. */
export async function attempt(action: () => unknown): Promise<void> {
  try {
    await action();
  } catch {
    return;
  }
}

/** For a non-essential write: failures are ignored. */
export async function unlessRefused(write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (e) {
    if (!(e instanceof AuroraError && e.kind === 'disk')) throw e;
  }
}

/**
 * Records an error from before training in a run folder that is already watched, unless the trainer has done so. Disk
 * errors are ignored: the error is still shown in the terminal. If the trainer's own last line exists and only its
 * status could not be written, the status is set to match that line.
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

/** The end of the run, if this very process has recorded it in the journal. */
function lastWord(path: string, last: EventBase | undefined): Exclude<RunState, 'running'> | undefined {
  const isMine = last?.w !== undefined && writerOf(path)?.nonce.startsWith(last.w);
  const { kind } = (last ?? {}) as Partial<RunEvent>;
  return isMine && (kind === 'failed' || kind === 'finished' || kind === 'stopped') ? kind : undefined;
}
