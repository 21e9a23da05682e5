import { join } from 'node:path';
import { writeAtomic } from '../../files/atomic';
import { readJsonIfThere } from '../../files/json';
import { runPaths } from '../layout';

/** The trainer that starts next removes it, with all of `control`. */
const pathOf = (run: string): string => join(runPaths(run).control, 'ended.json');

/**
 * Records the signal that ended a trainer, on behalf of the process that started it: a killed trainer cannot. Never throws,
 * since the folder may be gone.
 *
 * @param run the folder of a run or a sweep
 */
export function recordSignal(run: string, pid: number, signal: NodeJS.Signals): void {
  try {
    writeAtomic(pathOf(run), `${JSON.stringify({ pid, signal })}\n`, run);
  } catch {
    // Then the reason stays unknown.
  }
}

/** The signal that ended the trainer with this process id, or the last one, if it was seen. */
export function signalThatEnded(run: string, pid: number | undefined): string | undefined {
  try {
    const seen = readJsonIfThere(pathOf(run)) as { pid?: unknown; signal?: unknown } | null | undefined;
    const { signal } = seen ?? {};
    return (pid === undefined || seen?.pid === pid) &&
      typeof signal === 'string' &&
      /^SIG[A-Z0-9]{2,9}$/.test(signal)
      ? signal
      : undefined;
  } catch {
    return undefined;
  }
}
