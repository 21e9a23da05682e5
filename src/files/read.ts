import { readFileSync } from 'node:fs';
import { open, readFile, type FileHandle } from 'node:fs/promises';
import { AuroraError } from '../base/errors';

/** The file's bytes; undefined if it does not exist. Throws AuroraError (`run`) if it cannot be read. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (e) {
    return absentOrThrow(path, e);
  }
}

/** The file, opened for reading; undefined if it does not exist. Throws AuroraError (`run`) if it cannot be read. */
export async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (e) {
    return absentOrThrow(path, e);
  }
}

/** Like `readIfThere`, but blocking. */
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

/** The error for a file of a run that exists but cannot be read. */
export const unreadable = (path: string, e: unknown): AuroraError =>
  new AuroraError('run', `${path} could not be read: ${(e as Error).message}.`, undefined, { cause: e });
