import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { thisProcess } from './processes';

/** A folder in each copy of the programs, with a file for each process that runs from it, named by process id. */
export const IN_USE = 'in-use';

/**
 * Marks a copy of the programs as in use by this process, so that no update removes it. A killed process leaves its
 * mark behind, so updates check whether the process exists.
 *
 * @param copy a folder that contains `IN_USE`
 * @returns a function that removes the mark
 * @throws the system's error if the folder is missing or the mark cannot be written
 */
export function noteUse(copy: string): () => void {
  // Two machines that share a home folder may have processes with the same id.
  const note = join(copy, IN_USE, `${process.pid}-${randomBytes(4).toString('hex')}`);
  writeFileSync(note, `${JSON.stringify(thisProcess())}\n`);
  return () => {
    try {
      rmSync(note, { force: true });
    } catch {
      // The mark is harmless once the process is gone.
    }
  };
}
