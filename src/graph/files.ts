import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { AuroraError } from '../shared/errors';

/**
 * Writes a file so that no reader ever sees half of it: a neighbour is written and flushed, then renamed
 * over the target.
 */
export function writeAtomic(path: string, data: Uint8Array | string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const fd = openSync(temporary, 'w');
    try {
      const bytes = typeof data === 'string' ? Buffer.from(data) : data;
      // One write call takes at most 2 GiB.
      for (let done = 0; done < bytes.byteLength;)
        done += writeSync(fd, bytes, done, Math.min(bytes.byteLength - done, 1 << 30));
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
