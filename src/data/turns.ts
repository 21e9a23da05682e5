import { setImmediate as turn } from 'node:timers/promises';

const TURN_MS = 100;

/** Lets long work on this thread serve signals and timers: without, Ctrl-C would be seen after all of it. */
export class Turns {
  private last = performance.now();

  /** @returns true if the last turn is long ago: take one */
  get due(): boolean {
    return performance.now() - this.last > TURN_MS;
  }

  async take(): Promise<void> {
    await turn();
    this.last = performance.now();
  }
}
