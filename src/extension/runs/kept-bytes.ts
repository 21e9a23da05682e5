import { AuroraError } from '../../base/errors';
import { count } from '../../base/number-text';

/** About 25,000 runs of a sweep. In memory, JSON takes a few times as much. */
const MOST_BYTES = 320 * 2 ** 20;

/** A small file takes more than its bytes. */
const LEAST_BYTES = 1024;

/**
 * The bytes of the files that the runs of a window keep in memory together: each is bounded, but a folder can have any
 * number of runs.
 */
export class KeptBytes {
  private kept = 0;

  constructor(private readonly most = MOST_BYTES) {}

  /**
   * A file of `before` bytes is replaced by one of `after`, 0 for none.
   *
   * @throws AuroraError 'run' if it does not fit; then nothing has changed
   */
  replace(before: number, after: number, path: string): void {
    const kept = this.kept - costOf(before) + costOf(after);
    if (after > before && kept > this.most)
      throw new AuroraError(
        'run',
        `${path} is not read: the runs here have more than ${count(this.most)} bytes together.`,
        'Delete runs, or move their folders elsewhere, and reload the window. `aurora runs` in a terminal lists more.',
      );
    this.kept = kept;
  }
}

const costOf = (bytes: number): number => (bytes === 0 ? 0 : Math.max(LEAST_BYTES, bytes));
