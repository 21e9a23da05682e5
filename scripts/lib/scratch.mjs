import { mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Linux's file system in memory. */
const MEMORY = '/dev/shm';
/** The tests of all tiers together stay below this. */
const ROOM = 4 * 2 ** 30;
const NAME = 'aurora-test-';

/**
 * A new folder for a tier's temporary files: in memory if it fits. A trainer waits for the disk (fsync) during two
 * thirds of a run of seconds, which is what most tests start. The caller removes it, with `removeScratch`.
 */
export function scratchFolder() {
  const base = hasRoom() ? MEMORY : tmpdir();
  for (const name of readdirSync(base))
    if (isAbandoned(name)) rmSync(join(base, name), { recursive: true, force: true });
  return mkdtempSync(join(base, `${NAME}${process.pid}-`));
}

/**
 * Removes such a folder. A program that a test has just ended may still write into it. One that writes for longer is
 * named but does not undo the result of a tier: the next call of `scratchFolder` removes the folder.
 */
export function removeScratch(folder) {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  } catch (e) {
    console.error(
      `The tests' folder could not be removed, since a program still writes into it: ${e.message}`,
    );
  }
}

function hasRoom() {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return process.platform === 'linux' && bavail * bsize >= ROOM;
  } catch {
    return false;
  }
}

/** True if the folder was left by a program that was killed. */
function isAbandoned(name) {
  const pid = new RegExp(`^${NAME}(\\d+)-`).exec(name)?.[1];
  if (pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (e) {
    return e.code === 'ESRCH';
  }
}
