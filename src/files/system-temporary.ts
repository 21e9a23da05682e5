import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diskError } from './atomic';
import { removeAbandoned, temporaryBeside } from './temporary';

/**
 * A new folder in the system's folder for temporary files. Its name has its process, so that our next process removes
 * it if this one is killed.
 * @throws AuroraError 'disk' if it cannot be created
 */
export function temporaryFolderFor(name: string, near = tmpdir()): string {
  const path = temporaryBeside(join(near, `aurora-${name}`));
  try {
    mkdirSync(near, { recursive: true });
    // Others may write there: a folder of this name that exists already is not ours.
    mkdirSync(path, { mode: 0o700 });
  } catch (e) {
    throw diskError(near, e);
  }
  removeAbandoned(near);
  return path;
}
