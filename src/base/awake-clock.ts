/**
 * Elapsed time for a process that polls: from a monotonic clock, so that wall clock changes have no effect, and with at
 * most `most` counted between two polls, so that sleep of the machine or the process does not count as time in which
 * something could have been noticed.
 */
export class AwakeClock {
  private last: number;
  private awake = 0;

  /**
   * @param most maximum milliseconds counted between two polls
   * @param now milliseconds of a monotonic clock
   */
  constructor(
    private readonly most: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.last = now();
  }

  /** Polls: returns the milliseconds counted since the start. */
  read(): number {
    const now = this.now();
    this.awake += Math.min(Math.max(0, now - this.last), this.most);
    this.last = now;
    return this.awake;
  }
}
