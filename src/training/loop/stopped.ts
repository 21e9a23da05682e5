import type { StopReason } from '../../protocol/events';

/** Thrown by what watches long work between two examples or tokens, so that nobody waits for a large set. */
export class Stopped extends Error {
  constructor(readonly reason: StopReason) {
    super(reason);
  }
}
