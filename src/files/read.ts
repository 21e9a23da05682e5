import { readFileSync } from 'node:fs';
import { open, readFile, type FileHandle } from 'node:fs/promises';
import { AuroraError } from '../base/errors';

/**
 * On NFS, a file that another machine replaces or removes between its opening and its reading is "stale" (ESTALE): its name
 * may already belong to its successor.
 */
const ATTEMPTS = 5;

const isStale = (e: unknown): boolean => (e as NodeJS.ErrnoException | undefined)?.code === 'ESTALE';

/** Repeats what opens and reads a file, for as long as the file is replaced meanwhile. */
export function reopening<T>(read: () => T): T {
  for (let attempt = 1; ; attempt++)
    try {
      return read();
    } catch (e) {
      if (attempt === ATTEMPTS || !isStale(e)) throw e;
    }
}

/** The same without blocking. */
export async function reopeningLater<T>(read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++)
    try {
      return await read();
    } catch (e) {
      if (attempt === ATTEMPTS || !isStale(e)) throw e;
    }
}

/**
 * What a network disk answers while its server restarts or another takes its place. A full disk or a missing permission is not
 * among them: somebody has to do something about those.
 */
const PASSING: readonly (string | undefined)[] = [
  'ESTALE',
  'EIO',
  'EREMOTEIO',
  'ETIMEDOUT',
  'EAGAIN',
  'EBUSY',
  'ENOTEMPTY',
  'ENOLCK',
];

/** Whether an error, or what caused it, is a failure of a disk that passes. */
export function isPassing(e: unknown): boolean {
  for (let at = e; at instanceof Error; at = at.cause)
    if (PASSING.includes((at as NodeJS.ErrnoException).code)) return true;
  return false;
}

/** The file's bytes; undefined if it does not exist. Throws AuroraError (`run`) if it cannot be read. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await reopeningLater(() => readFile(path));
  } catch (e) {
    return absentOrThrow(path, e);
  }
}

/** The file, opened for reading; undefined if it does not exist. Throws AuroraError (`run`) if it cannot be read. */
export async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await reopeningLater(() => open(path, 'r'));
  } catch (e) {
    return absentOrThrow(path, e);
  }
}

/** Like `readIfThere`, but blocking. */
export function readIfThereSync(path: string): Buffer | undefined {
  try {
    return reopening(() => readFileSync(path));
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
