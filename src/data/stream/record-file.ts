import { fstatSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { AuroraError } from '../../base/errors';
import { discard } from '../../files/atomic';
import { identify, identityOf, sameIdentity, type FileIdentity } from '../../files/identity';
import { rowPlace } from '../../protocol/row-place';
import { unreadable } from '../../table/files';
import type { PlacedTable } from '../../table/records';
import type { MarkedFormat, ReadOptions, Row } from '../table/rows';
import type { RowIndex } from './row-index';

/**
 * A data file whose rows are read one by one. It stays open, so that another file under its name changes nothing; a row
 * that was written over is noticed.
 */
export class RecordFile<R extends Row> {
  private readonly file: number;
  private readonly parse: ReturnType<PlacedTable['reader']>;

  /**
   * @param copy of its rows, where they cannot be read from the file itself
   * @param identity of the file that the index was made of
   * @throws AuroraError 'data' if it cannot be read, or is another file by now
   */
  constructor(
    readonly path: string,
    private readonly copy: string | undefined,
    identity: FileIdentity,
    table: PlacedTable,
    readonly index: RowIndex,
    readonly format: MarkedFormat<R>,
    private readonly options: ReadOptions,
    /** Of what its examples are made of, the columns of its index included. */
    readonly digest: string,
  ) {
    this.parse = table.reader(index.fields);
    try {
      this.file = openSync(copy ?? path, 'r');
    } catch (cause) {
      throw unreadable(path, cause);
    }
    const now = copy === undefined ? identityOf(fstatSync(this.file, { bigint: true })) : identify(path);
    if (!now || !sameIdentity(identity, now)) throw beingWritten(path);
  }

  /** @throws AuroraError 'inputs' if it was changed since */
  row(place: number): R {
    const { starts, lengths, lines, sums } = this.index.columns;
    const line = lines[place]!;
    const bytes = this.bytes(starts[place]!, lengths[place]!);
    if (crc32(bytes) !== sums[place])
      throw this.copy === undefined ? changed(this.path, line) : damagedCopy(this.path, this.copy);
    const record = this.parse(bytes, line);
    const row = 'fields' in record ? this.format.rowOf(record.fields, this.options) : record;
    if ('problem' in row)
      throw new Error(`${rowPlace(this.path, line)} has become a bad row: ${row.problem}`);
    return { ...row, line } as R;
  }

  /** What is to be learned of a row, without reading it. */
  marked(place: number): R {
    const { lines, markStarts, marks } = this.index.columns;
    const own: string[] = [];
    for (let at = markStarts[place]!; at < markStarts[place + 1]!; at++)
      own.push(this.index.names[marks[at]!]!);
    return { ...this.format.marked(own), line: lines[place]! } as R;
  }

  private bytes(start: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let done = 0; done < length;) {
      let read: number;
      try {
        read = readSync(this.file, bytes, done, length - done, start + done);
      } catch (cause) {
        throw unreadable(this.path, cause);
      }
      // What is missing makes another checksum.
      if (read === 0) return bytes.subarray(0, done);
      done += read;
    }
    return bytes;
  }
}

const beingWritten = (path: string): AuroraError =>
  new AuroraError(
    'data',
    `${path} was written while it was being read.`,
    'Wait until no program is writing to it, then start again.',
  );

/** It is made again at the next start. */
function damagedCopy(path: string, copy: string): AuroraError {
  discard(copy);
  return new AuroraError(
    'inputs',
    `${copy}, the copy of the rows of ${path}, was damaged or changed.`,
    'Resume from the last checkpoint, or start again: the copy is then made again.',
  );
}

const changed = (path: string, line: number): AuroraError =>
  new AuroraError(
    'inputs',
    `${rowPlace(path, line)}: this row was changed while the file was in use.`,
    'Put the file back as it was and resume from the last checkpoint, or start a new run.',
  );
