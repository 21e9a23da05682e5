import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { AuroraError } from '../base/errors';
import { count } from '../base/number-text';

/**
 * On NFS, a file that another machine replaces or removes between its opening and its reading is "stale" (ESTALE): its name
 * may already belong to its successor.
 */
const ATTEMPTS = 5;

const isStale = (e: unknown): boolean => (e as NodeJS.ErrnoException | undefined)?.code === 'ESTALE';

/** Repeats an operation that opens and reads a file, as long as the file is replaced during it. */
export function reopening<T>(read: () => T): T {
  for (let attempt = 1; ; attempt++)
    try {
      return read();
    } catch (e) {
      if (attempt === ATTEMPTS || !isStale(e)) throw e;
    }
}

/** `reopening` without blocking. */
async function reopeningLater<T>(read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++)
    try {
      return await read();
    } catch (e) {
      if (attempt === ATTEMPTS || !isStale(e)) throw e;
    }
}

/**
 * Errors of a network disk while its server restarts or another takes its place. A full disk and a missing permission
 * do not pass without help, so they are left out.
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

/** True if an error, or its cause, is a failure of a disk that passes. */
export function isPassing(e: unknown): boolean {
  for (let at = e; at instanceof Error; at = at.cause)
    if (PASSING.includes((at as NodeJS.ErrnoException).code)) return true;
  return false;
}

/**
 * Bytes of a file that is read as a whole, unless its reader expects more. A run folder can come with anyone's repository,
 * and is read without being asked for.
 */
const MOST_BYTES = 64 * 2 ** 20;

/** A pipe would otherwise be waited for until somebody writes to it. Windows has no such flag. */
const READ = constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0);

/**
 * The file's bytes; undefined if it does not exist.
 *
 * @param most bytes that it may have
 * @throws AuroraError 'run' if it is larger, is not a regular file or cannot be read
 */
export async function readIfThere(path: string, most = MOST_BYTES): Promise<Buffer | undefined> {
  try {
    return await reopeningLater(async () => {
      const file = await openRegular(path);
      try {
        requireSmall(await file.stat(), most);
        return await file.readFile();
      } finally {
        await file.close();
      }
    });
  } catch (e) {
    return absentOrThrow(path, e);
  }
}

/**
 * The file, opened for reading; undefined if it does not exist.
 *
 * @throws AuroraError 'run' if it is not a regular file or cannot be read
 */
export async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await reopeningLater(() => openRegular(path));
  } catch (e) {
    return absentOrThrow(path, e);
  }
}

/** @throws Error, also if it is not a regular file */
export async function openRegular(path: string): Promise<FileHandle> {
  const file = await open(path, READ);
  try {
    requireRegular(await file.stat());
    return file;
  } catch (e) {
    await file.close();
    throw e;
  }
}

/** `readIfThere`, but blocking. */
export function readIfThereSync(path: string, most = MOST_BYTES): Buffer | undefined {
  try {
    return reopening(() => {
      const file = openRegularSync(path);
      try {
        requireSmall(fstatSync(file), most);
        return readFileSync(file);
      } finally {
        closeSync(file);
      }
    });
  } catch (e) {
    return absentOrThrow(path, e);
  }
}

/** @throws Error, also if it is not a regular file */
export function openRegularSync(path: string): number {
  const file = openSync(path, READ);
  try {
    requireRegular(fstatSync(file));
    return file;
  } catch (e) {
    closeSync(file);
    throw e;
  }
}

/**
 * A file, or a folder, whose reading then fails as in `node:fs`; no pipe, no device, no socket.
 *
 * @throws NodeJS.ErrnoException
 */
export async function openStored(path: string): Promise<FileHandle> {
  const file = await open(path, READ);
  try {
    requireStored(await file.stat());
    return file;
  } catch (e) {
    await file.close();
    throw e;
  }
}

/** `openStored`, but blocking. */
export function openStoredSync(path: string): number {
  const file = openSync(path, READ);
  try {
    requireStored(fstatSync(file));
    return file;
  } catch (e) {
    closeSync(file);
    throw e;
  }
}

/** The bytes of a file. @throws as `openStored` */
export function readStored(path: string): Buffer {
  const file = openStoredSync(path);
  try {
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

/** The text of a file that the editor reads by its name alone, which may come with a repository. @throws as `openStored` */
export async function readStoredText(path: string): Promise<string> {
  const file = await openStored(path);
  try {
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

function requireStored(facts: Stats): void {
  if (!facts.isDirectory()) requireRegular(facts);
}

/** Devices and pipes have no size and no end. */
function requireRegular(facts: Stats): void {
  if (!facts.isFile()) throw new Error('it is not a regular file');
}

function requireSmall({ size }: Stats, most: number): void {
  if (size > most) throw new Error(`it has ${count(size)} bytes, and at most ${count(most)} are read`);
}

function absentOrThrow(path: string, e: unknown): undefined {
  if ((e as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw unreadable(path, e);
}

/** The error for a file of a run that exists but cannot be read. */
export const unreadable = (path: string, e: unknown): AuroraError =>
  new AuroraError('run', `${path} could not be read: ${(e as Error).message}.`, undefined, { cause: e });
