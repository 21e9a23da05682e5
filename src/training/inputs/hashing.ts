import { Worker } from 'node:worker_threads';
import type { HashedFile } from '../../files/hash';
import type { HashedSet } from '../../files/inputs/file-set';

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

/** Share of a run's time that may be spent re-reading its model during training. */
const SHARE = 0.01;
/** Thread start time and hash rate, assumed until measured: slower than on any machine. */
const START_SECONDS = 0.05;
const BYTES_PER_SECOND = 2e8;

/** Re-reads files in the background, as often as a small share of the time allows. */
export class Rehash {
  private readonly began = performance.now();
  /** Seconds. */
  private spent = 0;
  /** Seconds the last time. */
  private last = 0;
  private running: Hashing | undefined;

  /** @param hash starts reading files, even if their hashes are known */
  constructor(
    private readonly hash: (paths: readonly string[]) => Hashing,
    private readonly share = SHARE,
  ) {}

  /**
   * @param done gets the result
   * @returns true if it started: not while one is running, nor if it would exceed the share
   */
  begin(files: readonly { path: string; size: number }[], done: (hashed: HashedPath[]) => void): boolean {
    const expected =
      this.last || START_SECONDS + files.reduce((sum, { size }) => sum + size, 0) / BYTES_PER_SECOND;
    const allowed = this.share * secondsSince(this.began);
    if (this.running || files.length === 0 || this.spent + expected > allowed) return false;
    const began = performance.now();
    const running = this.hash(files.map(({ path }) => path));
    this.running = running;
    running.hashed
      .then(({ files }) => done(files))
      // The next time is the retry.
      .catch(() => undefined)
      .finally(() => {
        this.last = secondsSince(began);
        this.spent += this.last;
        this.running = undefined;
      });
    return true;
  }

  cancel(): void {
    void this.running?.cancel();
  }
}

const secondsSince = (began: number): number => (performance.now() - began) / 1000;
