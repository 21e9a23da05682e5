import { closeSync, fstatSync, readSync } from 'node:fs';
import { AuroraError } from '../base/errors';
import { openInput } from '../files/inputs/open';
import type { PlacedRecord } from './records';
import { requireText, unreadable, withoutMark } from './data-files';

/** Bytes that are read at once. */
const PIECE = 1 << 23;
/** No record may be longer. */
const MOST = 1 << 28;

/**
 * The bytes of a text file, piece by piece, each from the end of the part that was taken from the one before. The byte
 * order mark is left out.
 *
 * @param take the records in `bytes`, which the next piece overwrites; returns how many bytes they take. 0 asks for a
 *   longer piece
 * @throws AuroraError 'data' if the file cannot be read, is not text, or a record does not end
 */
export function* takePieces<T>(
  path: string,
  take: (bytes: Buffer, start: number, isLast: boolean) => { taken: number; found: T },
  size = PIECE,
): Generator<T> {
  const file = openText(path);
  try {
    const end = fstatSync(file).size;
    let buffer: Buffer = Buffer.allocUnsafe(Math.min(size, Math.max(1, end)));
    let [start, filled] = [0, 0];
    for (;;) {
      // Only the initial length of a growing file is read.
      const room = buffer.subarray(filled, Math.max(filled, Math.min(buffer.length, end - start)));
      const read = fill(path, file, room, start + filled);
      if (read === 0 && start + filled < end)
        throw new AuroraError('data', `${path} was truncated while it was read.`);
      filled += read;
      let bytes: Buffer = buffer.subarray(0, filled);
      if (start === 0) {
        requireText(path, bytes);
        const text = withoutMark(bytes);
        start = bytes.length - text.length;
        bytes = text;
      }
      const isLast = start + bytes.length >= end;
      const { taken, found } = take(bytes, start, isLast);
      yield found;
      if (isLast) return;
      const rest = bytes.subarray(taken);
      if (taken === 0) buffer = longer(path, buffer, start);
      rest.copy(buffer);
      start += taken;
      filled = rest.length;
    }
  } finally {
    closeSync(file);
  }
}

/** The bytes read of a file that is read from start to end. */
export const bytesRead = ({ start, bytes }: PlacedRecord): number => start + bytes.length;

function openText(path: string): number {
  try {
    return openInput(path, 'data');
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function fill(path: string, file: number, into: Buffer, at: number): number {
  let filled = 0;
  try {
    while (filled < into.length) {
      const read = readSync(file, into, filled, into.length - filled, at + filled);
      if (read === 0) break;
      filled += read;
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
  return filled;
}

function longer(path: string, buffer: Buffer, start: number): Buffer {
  if (buffer.length >= MOST)
    throw new AuroraError(
      'data',
      `${path}: the row that begins at byte ${start} does not end within ${MOST / 2 ** 20} MB.`,
      'If it begins with a quote, close the quote, or set data.quoting to "none" if no quote in the file encloses a field.',
    );
  return Buffer.allocUnsafe(2 * buffer.length);
}
