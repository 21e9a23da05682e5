import { Worker } from 'node:worker_threads';
import type { HashedFile } from '../../files/hash';

/** A file's hash, or why there is none. */
export type HashedPath = { path: string } & (HashedFile | { problem: string; code: string | undefined });

export interface HashTask {
  paths: readonly string[];
  /** Also files that seem not to have changed since they were hashed last are read. */
  again: boolean;
}

export interface Hashing {
  /** In the order of the paths. */
  hashed: Promise<HashedPath[]>;
  /** Gives up on them. */
  cancel: () => Promise<unknown>;
}

/** @param worker the built hash-worker */
export function hashInBackground(task: HashTask, worker: string): Hashing {
  const thread = new Worker(worker, { workerData: task });
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
