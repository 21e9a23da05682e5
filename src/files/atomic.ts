import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { AuroraError } from '../base/errors';
import { requireOwned } from './fence';
import { makeFolderIn, renameFlushed } from './folder';
import { temporaryBeside } from './temporary';

/**
 * Writes a file so that no reader ever sees half of it. Once this returns, the file survives a power cut.
 *
 * @param within a folder above it that must exist: only folders below it are created. By default, all are.
 */
export function writeAtomic(path: string, data: Uint8Array | string, within?: string): void {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  replaceFile(path, (fd) => writeAll(fd, bytes), within);
}

/** Lets `write` fill a temporary file beside the target, then flushes it and renames it over the target. */
export function replaceFile(path: string, write: (fd: number) => void, within?: string): void {
  const temporary = temporaryBeside(path);
  requireOwned(path);
  try {
    if (within === undefined) mkdirSync(dirname(path), { recursive: true });
    else makeFolderIn(within, dirname(path));
    const fd = openSync(temporary, 'wx');
    try {
      write(fd);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    requireOwned(path);
    renameFlushed(temporary, path);
  } catch (e) {
    discard(temporary);
    throw diskError(path, e);
  }
}

/**
 * Writes all bytes. A single write call takes at most 2 GiB, and may write less than requested.
 *
 * @param at position in the file; by default after the last write
 */
export function writeAll(fd: number, bytes: Uint8Array, at?: number): void {
  for (let done = 0; done < bytes.byteLength;) {
    const length = Math.min(bytes.byteLength - done, 1 << 30);
    done += writeSync(fd, bytes, done, length, at === undefined ? null : at + done);
  }
}

/** The whole content of an open file, regardless of its current position. */
export function readAll(fd: number): Buffer {
  const bytes = Buffer.alloc(fstatSync(fd).size);
  let done = 0;
  while (done < bytes.length) {
    const read = readSync(fd, bytes, done, Math.min(bytes.length - done, 1 << 30), done);
    if (read === 0) break;
    done += read;
  }
  return bytes.subarray(0, done);
}

/** Removes an unfinished file or folder. A failure here must not hide the original error. */
export function discard(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    return;
  }
}

/**
 * Turns the operating system's error for a failed write into a helpful one. The hint names no option; the command line
 * replaces it with one that names an option of the command (cli/help-text.ts). Returns other errors unchanged.
 */
export function diskError(path: string, e: unknown): Error {
  const { code = '', syscall } = e as NodeJS.ErrnoException;
  const words = DISK_WORDS.get(code);
  if (e instanceof AuroraError || !words || syscall?.startsWith('spawn')) return e as Error;
  const [message, hint] = words;
  return new AuroraError(
    'disk',
    message.replace('{code}', code).replace('{path}', () => path),
    hint,
    {
      cause: e,
    },
  );
}

/** Hints that a command may replace with better ones. */
export const DISK_HINTS = {
  full: 'Free some space and try again; nothing already saved was changed.',
  elsewhere: 'Choose another folder, or make this one writable.',
} as const;

type Words = readonly [message: string, hint: string];
const FULL: Words = ['The disk is full: {path} could not be written.', DISK_HINTS.full];
const REFUSED: Words = ['{path} is not writable ({code}).', DISK_HINTS.elsewhere];
const SHAPE: Words = [
  '{path} cannot be written: a folder is where a file should be, or the other way round ({code}).',
  DISK_HINTS.elsewhere,
];
const GONE: Words = [
  '{path} could not be written: the folder does not exist ({code}).',
  'Check whether it was moved or removed, and whether its disk is still mounted.',
];
const OTHER: Words = [
  '{path} could not be written ({code}).',
  'Check the disk and try again; nothing already saved was changed.',
];

const OTHERS =
  'EIO ESTALE EBUSY EMFILE ENFILE ENAMETOOLONG ELOOP ETXTBSY EXDEV ENOTEMPTY EFBIG EMLINK ENODEV ENXIO EREMOTEIO UNKNOWN';

const DISK_WORDS = new Map<string, Words>([
  ...OTHERS.split(' ').map((code) => [code, OTHER] as const),
  ['ENOSPC', FULL],
  ['EDQUOT', FULL],
  ['EACCES', REFUSED],
  ['EROFS', REFUSED],
  ['EPERM', REFUSED],
  ['ENOTDIR', SHAPE],
  ['EEXIST', SHAPE],
  ['EISDIR', SHAPE],
  ['ENOENT', GONE],
]);
