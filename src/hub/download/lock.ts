import { rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { AuroraError } from '../../base/errors';
import { diskError } from '../../files/atomic';
import { makeFolders } from '../../files/folder';
import { claim } from '../../files/owner';
import { removeAbandoned } from '../../files/temporary';
import { stopped } from '../http/http-failure';

export interface Lock {
  /** The cache. */
  cache: string;
  /** The repository's folder in it. */
  repo: string;
  blob: string;
  /** The file that the owner writes. */
  partial: string;
  /** Called once if another process has it. */
  waiting(): void;
  signal?: AbortSignal;
}

const LOOK_MS = 100;

/** A process on another machine that has not written for this long is taken for dead. A live one may be verifying. */
const DEAD_MS = 10 * 60_000;

/**
 * Lets one process at a time write a blob, on this machine or on others that share the cache. huggingface_hub locks
 * `.locks/REPO/BLOB.lock` with flock, which Node does not have. So it is not kept out, but it writes another unfinished
 * file, and both rename a whole one into place.
 *
 * @param action gets the lock's folder
 * @param isDone asked whenever another process had it
 */
export async function withLock(
  lock: Lock,
  isDone: () => Promise<boolean>,
  action: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = join(lock.cache, '.locks', lock.repo, `${lock.blob}.aurora`);
  for (let told = false; !(await isDone());) {
    if (lock.signal?.aborted) throw stopped();
    const owner = await attempt(folder, lock.partial);
    if (owner) {
      try {
        // Another process may have finished just before.
        if (!(await isDone())) await action(folder);
        return;
      } finally {
        owner.release();
        remove(folder);
      }
    }
    if (!told) lock.waiting();
    told = true;
    await wait(LOOK_MS, undefined, { signal: lock.signal }).catch(() => undefined);
  }
}

async function attempt(folder: string, partial: string) {
  try {
    makeFolders(folder);
  } catch (e) {
    throw diskError(folder, e);
  }
  try {
    const got = await claim(folder, { takeOver: async () => isIdle(partial) });
    return 'owner' in got ? got.owner : undefined;
  } catch (e) {
    // The last owner removed the folder just now.
    if (e instanceof AuroraError && e.kind === 'run') return undefined;
    throw e;
  }
}

const isIdle = (partial: string): boolean => {
  const found = statSync(partial, { throwIfNoEntry: false });
  return !found || Date.now() - found.mtimeMs > DEAD_MS;
};

function remove(folder: string): void {
  try {
    removeAbandoned(folder);
    rmdirSync(folder);
  } catch {
    // The next owner is in it already.
  }
}
