import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomic } from '../../files/atomic';
import { runPaths } from '../layout';

type Request = 'cancel' | 'resume';

/** Asks the queue of a sweep to cancel these trials, by number: a request in its `control` folder for each. */
export const requestCancel = (sweep: string, numbers: readonly number[]): void =>
  request(sweep, 'cancel', numbers);

/** Asks the queue of a sweep to train these trials after all, which were cancelled or stopped while it ran. */
export const requestResume = (sweep: string, numbers: readonly number[]): void =>
  request(sweep, 'resume', numbers);

/** The numbers of the trials that the queue was asked to cancel since the last call. */
export const takeCancelled = (sweep: string): number[] => take(sweep, 'cancel');

/** The numbers of the trials that the queue was asked to train after all since the last call. */
export const takeResumed = (sweep: string): number[] => take(sweep, 'resume');

function request(sweep: string, what: Request, numbers: readonly number[]): void {
  for (const number of numbers) writeAtomic(join(runPaths(sweep).control, `${what}-${number}`), '', sweep);
}

function take(sweep: string, what: Request): number[] {
  const { control } = runPaths(sweep);
  const pattern = new RegExp(`^${what}-(\\d+)$`);
  try {
    return readdirSync(control).flatMap((name) => {
      const [, number] = pattern.exec(name) ?? [];
      if (number === undefined) return [];
      rmSync(join(control, name), { force: true });
      return [Number(number)];
    });
  } catch {
    // The folder does not exist before the first request, and a disk that refuses is asked again.
    return [];
  }
}
