import { setTimeout as wait } from 'node:timers/promises';
import { AuroraError } from '../../base/errors';
import { Failure } from './failure';

export interface Persistence {
  /** The pause before the n-th repetition, in seconds. */
  pause?: (n: number) => number;
  /** The number of repeats in a row of failures that pass with time, if less than usual: somebody is waiting. */
  most?: number;
  /** Seconds that a server may ask to wait, if less than usual. */
  longest?: number;
  /** Before each pause. */
  tell?(reason: string, seconds: number): void;
  signal?: AbortSignal;
}

/** The hub counts requests in windows of five minutes. */
const LONGEST_WAIT = 330;

const doubling = (n: number): number => Math.min(60, 2 ** (n - 1));

/**
 * Repeats an action that fails for a passing reason, with growing pauses, or as long as the server asks for.
 *
 * @param action gets a function to call whenever something has arrived: then the count of failures starts over
 * @throws AuroraError 'network', 'gated', 'usage' or 'stopped'
 */
export async function persist<T>(
  action: (progress: () => void) => Promise<T>,
  { pause = doubling, most = Infinity, longest = LONGEST_WAIT, tell, signal }: Persistence,
): Promise<T> {
  /** The failures in a row for reasons of each patience. */
  const failures = new Map<number, number>();
  for (;;) {
    if (signal?.aborted) throw stopped();
    try {
      return await action(() => failures.clear());
    } catch (e) {
      if (signal?.aborted) throw stopped();
      if (!(e instanceof Failure)) throw e;
      const failed = (failures.get(e.tries) ?? 0) + 1;
      if (failed > Math.min(e.tries, most)) throw e.error;
      failures.set(e.tries, failed);
      const seconds = e.after ?? pause(failed);
      if (seconds > longest) throw e.error;
      tell?.(e.message, seconds);
      await wait(seconds * 1000, undefined, { signal }).catch(() => undefined);
    }
  }
}

export const stopped = () =>
  new AuroraError('stopped', 'The download was stopped.', 'Start it again to continue.');
