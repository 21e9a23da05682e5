import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { AuroraError } from '../shared/errors';

/** Writes a file so that no reader ever sees half of it. */
export function writeAtomic(path: string, data: Uint8Array | string): void {
  replaceFile(path, (fd) => writeAll(fd, typeof data === 'string' ? Buffer.from(data) : data));
}

/** Writes a file from whatever `write` puts into a neighbour of it, which is flushed and renamed over it. */
export function replaceFile(path: string, write: (fd: number) => void): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const fd = openSync(temporary, 'w');
    try {
      write(fd);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (e) {
    discard(temporary);
    throw diskError(path, e);
  }
}

/**
 * One write call takes at most 2 GiB, and may take less than it was given.
 *
 * @param at where in the file; behind what was written last by default
 */
export function writeAll(fd: number, bytes: Uint8Array, at?: number): void {
  for (let done = 0; done < bytes.byteLength;) {
    const length = Math.min(bytes.byteLength - done, 1 << 30);
    done += writeSync(fd, bytes, done, length, at === undefined ? null : at + done);
  }
}

/** Removes what was left half done. A failure in doing so must not hide the one that came first. */
function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    return;
  }
}

/** Turns the operating system's word for a write that failed into one that helps. */
export function diskError(path: string, e: unknown): Error {
  const code = (e as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new AuroraError(
      'disk',
      `The disk is full: ${path} could not be written.`,
      'Free some space, then continue with --resume; nothing already saved was changed.',
      { cause: e },
    );
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM')
    return new AuroraError(
      'disk',
      `${path} may not be written (${code}).`,
      'Choose another folder with --out.',
      { cause: e },
    );
  if (code === 'ENOTDIR' || code === 'EEXIST' || code === 'EISDIR')
    return new AuroraError(
      'disk',
      `${path} cannot be written: a folder is where a file should be, or the other way round (${code}).`,
      'Choose another folder with --out.',
      { cause: e },
    );
  return e as Error;
}
