import type { HashedPath, Hashing } from './hashing';

/** What of a run's time may go into reading its model again while it trains. */
const SHARE = 0.01;
/** What a thread takes to start, and how fast it hashes, before either was measured: slower than it is anywhere. */
const START_SECONDS = 0.05;
const BYTES_PER_SECOND = 2e8;

/** Reads files again in the background, as often as a small share of the time allows. */
export class Rehash {
  private readonly began = performance.now();
  /** Seconds. */
  private spent = 0;
  /** Seconds, of the last time. */
  private last = 0;
  private running: Hashing | undefined;

  /** @param hash begins to read files, whatever is known of them */
  constructor(
    private readonly hash: (paths: readonly string[]) => Hashing,
    private readonly share = SHARE,
  ) {}

  /**
   * @param done gets what was found
   * @returns whether it has begun: not while it is at it, nor where that would exceed the share
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
      .then(done)
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
