import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diskError } from '../../files/atomic';
import { temporaryBeside } from '../../files/temporary';
import { readRunSummary } from '../../runs/read';
import { removeLeftovers } from './leftovers';
import { removedAtEnd } from './removed-at-exit';

/** Somebody else's run, or one on a disk for reading only, can be looked at all the same. */
const READ_ONLY = ['EACCES', 'EPERM', 'EROFS'];

/**
 * A folder for temporary graphs: in the run, so that they can stand on the model's file where that is on the same disk;
 * else in the system's own.
 *
 * @returns its path, and how it is removed; at the end of the process it is in any case
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
    // The reader of the run says best what is wrong with it.
    readRunSummary(run);
    if (!READ_ONLY.includes((e as NodeJS.ErrnoException).code ?? '')) throw diskError(run, e);
    return mkdtempSync(join(tmpdir(), `aurora-${name}-`));
  }
}
