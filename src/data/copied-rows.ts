import { closeSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { AuroraError } from '../base/errors';
import { discard } from '../files/atomic';
import { unreadable } from '../table/data-files';
import type { DataRecord } from '../table/records';

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
    'Resume from the last checkpoint, or start a new run: either recreates the copy.',
  );
}

/** Bytes in JSON: how many there are. They follow the line, in the order of the columns. */
const BYTES = '$bytes';
const NEWLINE = 0x0a;

/** A record as it is copied: a line of JSON, and the bytes that it has. @param wanted columns */
export function copyOf(record: DataRecord, wanted: readonly string[]): Buffer {
  const fields = 'fields' in record ? wanted.map((name) => [name, record.fields.get(name)] as const) : [];
  const following: Uint8Array[] = [];
  const line = JSON.stringify(Object.fromEntries(fields), (_, value: unknown) => {
    if (value instanceof Uint8Array) return { [BYTES]: following.push(value) && value.length };
    // JSON has no other numbers; a text or label is equal to a string.
    return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  });
  return Buffer.concat([Buffer.from(`${line}\n`), ...following]);
}

/** The fields of a copied row. Their bytes are views of `copy`. */
export function fieldsIn(copy: Buffer): object {
  const end = copy.indexOf(NEWLINE);
  let at = end + 1;
  return JSON.parse(copy.toString('utf8', 0, end), (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, BYTES)) return value;
    const start = at;
    at += Number((value as { [BYTES]: number })[BYTES]);
    return copy.subarray(start, at);
  }) as object;
}

/** The existing part of these bytes of an open file. @throws AuroraError 'data' if they cannot be read */
export function readAt(path: string, file: number, start: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let done = 0; done < length;) {
    let read: number;
    try {
      read = readSync(file, bytes, done, length - done, start + done);
    } catch (cause) {
      throw unreadable(path, cause);
    }
    if (read === 0) return bytes.subarray(0, done);
    done += read;
  }
  return bytes;
}
