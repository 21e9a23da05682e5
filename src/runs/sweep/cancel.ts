import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomic } from '../../files/atomic';
import { runPaths } from '../layout';

const NAME = /^cancel-(\d+)$/;

/** Asks the queue of a sweep to cancel these trials, by number: a request in its `control` folder for each. */
export function requestCancel(sweep: string, numbers: readonly number[]): void {
  for (const number of numbers) writeAtomic(join(runPaths(sweep).control, `cancel-${number}`), '', sweep);
}

/** The numbers of the trials that the queue was asked to cancel since the last call. */
export function takeCancelled(sweep: string): number[] {
  const { control } = runPaths(sweep);
  try {
    return readdirSync(control).flatMap((name) => {
      const [, number] = NAME.exec(name) ?? [];
      if (number === undefined) return [];
      rmSync(join(control, name), { force: true });
      return [Number(number)];
    });
  } catch {
    // There is no such folder before the first request, and a disk that refuses is asked again.
    return [];
  }
}
