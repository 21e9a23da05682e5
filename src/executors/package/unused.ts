import { readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { IN_USE } from '../../files/in-use';
import { temporaryBeside } from '../../files/temporary';

/** Longer than any job waits, and than any cluster lets one run. */
export const UNUSED_DAYS = 90;

/** The name of a package's folder: nothing else is ever removed. */
const PACKAGE = /^[0-9a-f]{64}$/;

/** Jobs were submitted that start from this package. Each trainer that starts from it leaves a note. */
export function noteSubmitted(pkg: string): void {
  const now = new Date();
  try {
    utimesSync(join(pkg, IN_USE), now, now);
  } catch {
    // Its last use was not long ago: the package was just verified.
  }
}

/**
 * Removes packages of other versions from which nothing was submitted or started for 90 days. That nothing runs from one
 * cannot be known here: its jobs may wait in the queue, or run on machines that this one does not see.
 *
 * @returns the names of those removed
 */
export function removeUnused(trainers: string, current: string, now = Date.now()): string[] {
  return readdirSync(trainers).filter((name) => {
    if (!PACKAGE.test(name) || name === current) return false;
    try {
      const folder = join(trainers, name);
      if (now - lastUse(folder) < UNUSED_DAYS * 86_400_000) return false;
      const moved = temporaryBeside(folder);
      renameSync(folder, moved);
      rmSync(moved, { recursive: true, force: true });
      return true;
    } catch {
      // Another user's, or removed by another process.
      return false;
    }
  });
}

/** A note that a program leaves or removes there changes the time of its folder. */
const lastUse = (pkg: string): number => {
  const notes = statSync(join(pkg, IN_USE), { throwIfNoEntry: false });
  return (notes ?? statSync(pkg)).mtimeMs;
};
