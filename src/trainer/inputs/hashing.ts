import { Worker } from 'node:worker_threads';
import type { HashedFile } from '../../files/hash';

/** A file's hash, or why there is none. */
export type HashedPath = { path: string } & (HashedFile | { problem: string; code: string | undefined });

/**
 * @param worker the built hash-worker
 * @returns the hashes in the order of `paths`, and how to give up on them
 */
export function hashInBackground(
  paths: readonly string[],
  worker: string,
): { hashed: Promise<HashedPath[]>; cancel: () => Promise<unknown> } {
  const thread = new Worker(worker, { workerData: paths });
  // A trainer that fails must not wait for it.
  thread.unref();
  const hashed = new Promise<HashedPath[]>((resolve, reject) => {
    thread.once('message', resolve);
    thread.once('error', reject);
    thread.once('exit', () => reject(new Error('The thread that hashes files ended early')));
  });
  // Whoever awaits it hears of that; nobody does where the run ends before its first checkpoint.
  hashed.catch(() => undefined);
  return { hashed, cancel: () => thread.terminate() };
}
