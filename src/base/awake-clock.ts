/**
 * Time as a process sees it that looks again and again: from a monotonic clock, so that a step of the wall clock changes
 * nothing, and with at most `most` counted between two looks, so that a sleep of the machine, or of the process, is not
 * taken for time in which something could have been noticed.
 */
export class AwakeClock {
  private last: number;
  private awake = 0;

  /**
   * @param most milliseconds that count between two looks
   * @param now milliseconds of a monotonic clock
   */
  constructor(
    private readonly most: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.last = now();
  }

  /** A look: milliseconds counted since the beginning. */
  read(): number {
    const now = this.now();
    this.awake += Math.min(Math.max(0, now - this.last), this.most);
    this.last = now;
    return this.awake;
  }
}
