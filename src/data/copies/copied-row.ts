import { closeSync, openSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { AuroraError } from '../../base/errors';
import { discard } from '../../files/atomic';
import { unreadable } from '../../table/files';
import { readAt } from './read-at';

/** The place of the copy of a row. Plain data, so that other threads and processes can read it. */
export interface CopiedRow {
  /** The path of the copy. */
  path: string;
  /** Its descriptor in the process that opened it, which all of that process's threads share. */
  file: number;
  process: number;
  start: number;
  length: number;
  /** CRC-32 of its bytes. */
  sum: number;
  /** The row's own place, for errors. */
  place: string;
}

/** @throws AuroraError 'inputs' if the copy was changed since it was made */
export function readCopiedRow({ path, file, process: owner, start, length, sum, place }: CopiedRow): Buffer {
  const bytes = owner === process.pid ? readAt(path, file, start, length) : readOnce(path, start, length);
  if (crc32(bytes) !== sum) throw damagedCopy(place, path);
  return bytes;
}

function readOnce(path: string, start: number, length: number): Buffer {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (cause) {
    throw unreadable(path, cause);
  }
  try {
    return readAt(path, file, start, length);
  } finally {
    closeSync(file);
  }
}

/** The error for a copy that is made again at the next start. */
export function damagedCopy(place: string, copy: string): AuroraError {
  discard(copy);
  return new AuroraError(
    'inputs',
    `${copy}, the copy of ${place}, was damaged or changed.`,
    'Resume from the last checkpoint, or start again: the copy is then made again.',
  );
}
