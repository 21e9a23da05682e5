import { join } from 'node:path';
import { LEASE_MS, Pulse } from '../../../training/process/pulse';

/**
 * A claim whose trials were asked to stop waits until each has finished its step and saved, which may take a minute each;
 * with some room, since a measurement of a run is not interrupted.
 */
const STOP_TIMEOUT_MS = 300_000;

/**
 * Runs an action with the claim's sign of life in its folder, as a sweep has one: `status.json`, requests to stop in
 * `control/`, and perhaps a lease. Its sweeps need no lease of their own.
 *
 * @param waiting with another `stopTimeout` in ms where trials take longer to stop than on this machine
 * @param action gets the pulse; undefined if it was stopped
 */
export async function withPulse<T>(
  folder: string,
  { lease, stopTimeout = STOP_TIMEOUT_MS }: { lease: boolean; stopTimeout?: number },
  action: (pulse: Pulse) => Promise<T | undefined>,
): Promise<T | undefined> {
  const pulse = Pulse.start(folder, join(__dirname, 'pulse-worker.cjs'), {
    stopTimeout,
    ...(lease && { lease: LEASE_MS }),
  });
  try {
    const result = await action(pulse);
    await pulse.end(result === undefined ? 'stopped' : 'finished');
    return result;
  } catch (e) {
    // Report the first error.
    await pulse.end('failed').catch(() => undefined);
    throw e;
  }
}
