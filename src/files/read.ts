import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { AuroraError } from '../base/errors';

/** The file's bytes; undefined where there is no such file. AuroraError (`run`) where it cannot be read. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (e) {
    return absentOrThrow(path, e);
  }
}

/** As `readIfThere`, blocking. */
export function readIfThereSync(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (e) {
    return absentOrThrow(path, e);
  }
}

function absentOrThrow(path: string, e: unknown): undefined {
  if ((e as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw unreadable(path, e);
}

/** The error of a file of a run that is there and cannot be read. */
export const unreadable = (path: string, e: unknown): AuroraError =>
  new AuroraError('run', `${path} could not be read: ${(e as Error).message}.`, undefined, { cause: e });
