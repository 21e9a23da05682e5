import { basename } from 'node:path';
import type { ReadWatch } from '../../data/stream/build';
import type { StopReason } from '../../protocol/events';
import { preparingRead } from '../../protocol/preparing';
import type { OpenRun } from './open-run';

/** Thrown while data are read: nothing has been trained that could be saved. */
export class StoppedReading extends Error {
  constructor(readonly reason: StopReason) {
    super(reason);
  }
}

export function readWatch(open: OpenRun): ReadWatch {
  return (progress) => {
    const reason = open.stopRequested();
    if (reason) throw new StoppedReading(reason);
    open.listener.reading(progress);
    const { done, of } = progress;
    const file = basename(progress.path);
    if (progress.unit === 'rows' && done < of) open.pulse.preparing({ doing: 'tokenizing', file, done, of });
    else open.pulse.preparing(preparingRead(file, done, of));
  };
}
