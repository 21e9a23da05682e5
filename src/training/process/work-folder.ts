import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { diskError } from '../../files/atomic';
import { temporaryFolderFor } from '../../files/system-temporary';
import { temporaryBeside } from '../../files/temporary';
import { readRunSummary } from '../../runs/read';
import { removeLeftovers } from './leftovers';
import { removedAtEnd } from './removed-at-exit';

/** Another user's run, or one on a read-only disk, can still be viewed. */
const READ_ONLY = ['EACCES', 'EPERM', 'EROFS'];

/**
 * A folder for temporary graphs: inside the run, so that they can use the model's file if it is on the same disk;
 * otherwise the system's temporary folder.
 *
 * @returns its path, and a function to remove it; the end of the process removes it in any case
 */
export function workFolder(run: string, name: string): { path: string; remove: () => void } {
  const path = make(run, name);
  return { path, remove: removedAtEnd(path) };
}

function make(run: string, name: string): string {
  try {
    removeLeftovers(run);
    const path = temporaryBeside(join(run, name));
    mkdirSync(path);
    return path;
  } catch (e) {
    // The run's reader gives the best error message.
    readRunSummary(run);
    if (!READ_ONLY.includes((e as NodeJS.ErrnoException).code ?? '')) throw diskError(run, e);
    return temporaryFolderFor(name);
  }
}
