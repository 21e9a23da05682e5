import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { noteUse } from '../files/in-use';
import { AuroraError } from '../base/errors';

/**
 * If this program runs from a copy that the extension made, marks the copy as in use until the process ends: updating
 * the extension removes unused copies. Anywhere else, writes nothing.
 *
 * @param program the path of this program
 * @throws AuroraError 'failed' if the copy was removed while the program was starting
 */
export function keepOwnCopy(program: string): void {
  try {
    process.once('exit', noteUse(dirname(program)));
  } catch {
    // Not a copy, or the disk is read-only or full: the program runs anyway.
    if (existsSync(program)) return;
    throw new AuroraError(
      'failed',
      `${program} was removed while it was starting, because AuroRA Lab was updated.`,
      'Run the command again, in a new terminal if the command is not found.',
    );
  }
}
