import { setTimeout as wait } from 'node:timers/promises';
import { isPassing } from '../../../files/read';

/** Before each new attempt, in ms: most servers are back after minutes. */
const PAUSES = [1000, 10_000, 60_000, 300_000];
const LOOK_MS = 200;

/**
 * Does something that continues where it was, and again if the disk failed in a way that passes: on a cluster, one failure of
 * its file server would otherwise end every trial that runs.
 *
 * @param stopped polled between attempts: true to give up
 * @param failed called with the error and the pause before the next attempt, in ms
 */
export async function despiteDisk<T>(
  action: () => Promise<T>,
  stopped: () => boolean,
  failed: (e: Error, pause: number) => void,
): Promise<T> {
  for (let failures = 0; ; failures++) {
    const began = performance.now();
    try {
      return await action();
    } catch (e) {
      // It was well for long: this is another failure.
      if (performance.now() - began > PAUSES.at(-1)!) failures = 0;
      if (!isPassing(e) || stopped() || failures === PAUSES.length) throw e;
      failed(e as Error, PAUSES[failures]);
    }
    const end = performance.now() + PAUSES[failures];
    while (performance.now() < end && !stopped()) await wait(LOOK_MS);
  }
}
