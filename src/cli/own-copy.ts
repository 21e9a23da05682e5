import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { noteUse } from '../files/in-use';
import { AuroraError } from '../base/errors';

/**
 * Where this program runs from a copy that the extension has made, keeps that copy until the process ends: an update
 * of the extension removes the ones that nobody uses. Writes nothing anywhere else. AuroraError where the copy was
 * removed while the program started.
 *
 * @param program the file of this program
 */
export function keepOwnCopy(program: string): void {
  try {
    process.once('exit', noteUse(dirname(program)));
  } catch {
    // No copy, or a disk that takes no note: the program runs all the same.
    if (existsSync(program)) return;
    throw new AuroraError(
      'failed',
      `${program} was removed while it started: AuroRA Lab was updated at that moment.`,
      'Run the command again, in a new terminal if it is not found.',
    );
  }
}
