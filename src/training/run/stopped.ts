import type { StopReason } from '../../protocol/events';
import type { OpenRun } from './open-run';

/** Thrown between two examples, so that nobody waits for a large set. */
export class Stopped extends Error {
  constructor(readonly reason: StopReason) {
    super(reason);
  }
}

/** Throws if the run was asked to stop. */
export const stopWatch = (open: OpenRun) => (): void => {
  const reason = open.stopRequested();
  if (reason) throw new Stopped(reason);
};
