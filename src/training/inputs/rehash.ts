import type { HashedPath, Hashing } from './hashing';

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
