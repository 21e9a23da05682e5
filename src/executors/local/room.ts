import { isBusy, type TrialView } from '../../runs/sweep/look';
import type { SweepRoom } from '../../runs/sweep/record';

/**
 * True if one more trial may start now, beside the running ones. The first one may always start: it reports an error if
 * it does not fit.
 *
 * @param available free bytes; undefined if the system does not report them
 */
export function hasRoom(
  trials: readonly TrialView[],
  { parallel, memory }: SweepRoom,
  available: () => number | undefined,
): boolean {
  const busy = trials.filter(isBusy);
  if (busy.length === 0) return true;
  const peak = Math.max(memory ?? 0, ...trials.map((t) => t.peakMemory ?? 0));
  const fresh = busy.filter((t) => t.state === 'starting' || t.step === 0);
  if (busy.length >= parallel) return false;
  const free = peak > 0 ? available() : undefined;
  // The memory of running trials is no longer free, but a trial before its first step has yet to take it.
  return free === undefined || free >= (fresh.length + 1) * peak;
}
