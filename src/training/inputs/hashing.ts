import { Worker } from 'node:worker_threads';
import type { HashedSet } from '../../files/inputs/file-set';
import type { HashedFile } from '../../files/hash';

/** A file's hash, or why there is none. */
export type HashedPath = { path: string } & (HashedFile | { problem: string; code: string | undefined });

export interface HashTask {
  paths: readonly string[];
  /** Images that are hashed together, by the data that name them. */
  sets?: ReadonlyMap<string, readonly string[]>;
  /** True to read also files that seem unchanged since they were last hashed. */
  again: boolean;
}

export interface HashedTask {
  /** In the order of the paths. */
  files: HashedPath[];
  sets: ReadonlyMap<string, HashedSet>;
}

export interface Hashing {
  hashed: Promise<HashedTask>;
  /** Cancels hashing. */
  cancel: () => Promise<unknown>;
}

/** @param worker the built hash-worker */
export function hashInBackground(task: HashTask, worker: string): Hashing {
  const thread = new Worker(worker, { workerData: task });
  // It must not keep a failing trainer alive.
  thread.unref();
  const hashed = new Promise<HashedTask>((resolve, reject) => {
    thread.once('message', resolve);
    thread.once('error', reject);
    thread.once('exit', () => reject(new Error('The thread that hashes files ended early')));
  });
  // Awaiting it reports the error; nobody does if the run ends before its first checkpoint.
  hashed.catch(() => undefined);
  return { hashed, cancel: () => thread.terminate() };
}
