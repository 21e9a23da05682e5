import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { thisProcess } from './processes';

/** In a copy of the programs, and only there: a file for each process that runs from it, named by its process id. */
export const IN_USE = 'in-use';

/**
 * Notes that this process runs from a copy of the programs, so that no update removes it meanwhile. A process that is
 * killed leaves its note behind; whoever removes copies looks whether the process is there.
 *
 * @param copy a folder with `IN_USE` in it; throws the system's error where there is none, or no note can be written
 * @returns removes the note
 */
export function noteUse(copy: string): () => void {
  // Two machines that share a home may have processes with the same number.
  const note = join(copy, IN_USE, `${process.pid}-${randomBytes(4).toString('hex')}`);
  writeFileSync(note, `${JSON.stringify(thisProcess())}\n`);
  return () => {
    try {
      rmSync(note, { force: true });
    } catch {
      // It does no harm once the process is gone.
    }
  };
}
