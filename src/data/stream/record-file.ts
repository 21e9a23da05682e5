import { crc32 } from 'node:zlib';
import { AuroraError } from '../../base/errors';
import { identify, sameIdentity, type FileIdentity } from '../../files/identity';
import { rowPlace, type FilePart } from '../../protocol/row-place';
import type { PlacedTable } from '../../table/records';
import type { MarkedFormat, ReadOptions, Row } from '../table/rows';
import { damagedCopy, type CopiedRow } from '../copies/copied-row';
import { RowBytes } from './row-bytes';
import type { RowIndex } from './row-index';

/** A data file as it was when its index was made. */
export interface IndexedFile {
  path: string;
  identity: FileIdentity;
}

interface RecordFileOptions<R extends Row> {
  /** The path of a file, or a pattern. */
  path: string;
  /** All files that it stands for. */
  files: readonly IndexedFile[];
  /** The path of the copy of their rows, where they cannot be read from the files themselves. */
  copy: string | undefined;
  /** The file of each row, where there are several. */
  parts: readonly FilePart[] | undefined;
  table: PlacedTable;
  index: RowIndex;
  format: MarkedFormat<R>;
  options: ReadOptions;
  /** The digest of all that its examples are made of, the columns of its index included. */
  digest: string;
}

/**
 * A data file whose rows are read one by one, or several files as one. They stay open, so that another file under the
 * name changes nothing; a row that was written over is noticed.
 */
export class RecordFile<R extends Row> {
  readonly path: string;
  readonly parts: readonly FilePart[] | undefined;
  readonly index: RowIndex;
  readonly format: MarkedFormat<R>;
  readonly digest: string;
  private readonly copy: string | undefined;
  private readonly options: ReadOptions;
  private readonly bytes: RowBytes;
  private readonly parse: ReturnType<PlacedTable['reader']>;

  /** @throws AuroraError 'data' if a file cannot be read, or is another one by now */
  constructor({ path, files, copy, parts, table, index, format, options, digest }: RecordFileOptions<R>) {
    [this.path, this.copy, this.parts, this.index] = [path, copy, parts, index];
    [this.format, this.options, this.digest] = [format, options, digest];
    this.parse = table.reader(index.fields);
    let start = 0;
    const sources = files.map((file) => {
      const source = { path: file.path, start };
      start += file.identity.size;
      return source;
    });
    this.bytes = new RowBytes(copy === undefined ? sources : [{ path: copy, start: 0 }]);
    const other =
      copy === undefined
        ? this.bytes.changed(files.map(({ identity }) => identity))
        : files.find((file) => !isStill(file))?.path;
    if (other !== undefined) throw beingWritten(other);
  }

  /** @throws AuroraError 'inputs' if it was changed since */
  row(place: number): R {
    const { starts, lengths, lines, sums } = this.index.columns;
    const line = lines[place]!;
    const bytes = this.bytes.read(starts[place]!, lengths[place]!);
    // Missing bytes change the checksum.
    if (crc32(bytes) !== sums[place])
      throw this.copy === undefined
        ? changed(rowPlace(this.path, line, this.parts))
        : damagedCopy(rowPlace(this.path, line, this.parts), this.copy);
    const record = this.parse(bytes, line);
    const row = 'fields' in record ? this.format.rowOf(record.fields, this.options) : record;
    if ('problem' in row)
      throw new Error(`${rowPlace(this.path, line, this.parts)} has become a bad row: ${row.problem}`);
    return this.format.placed?.({ ...row, line } as R, this.parts) ?? ({ ...row, line } as R);
  }

  /** The place of the copy of a row, for readers on another thread. */
  copied(place: number): CopiedRow {
    const { starts, lengths, sums, lines } = this.index.columns;
    return {
      ...this.bytes.first,
      start: starts[place]!,
      length: lengths[place]!,
      sum: sums[place]!,
      place: rowPlace(this.path, lines[place]!, this.parts),
    };
  }

  /** The answer of a row, without reading it. */
  marked(place: number): R {
    const { lines, markStarts, marks } = this.index.columns;
    const own: string[] = [];
    for (let at = markStarts[place]!; at < markStarts[place + 1]!; at++)
      own.push(this.index.names[marks[at]!]!);
    return { ...this.format.marked(own), line: lines[place]! } as R;
  }
}

const isStill = ({ path, identity }: IndexedFile): boolean => {
  const now = identify(path);
  return now !== undefined && sameIdentity(identity, now);
};

const beingWritten = (path: string): AuroraError =>
  new AuroraError(
    'data',
    `${path} was written while it was being read.`,
    'Wait until no program is writing to it, then start again.',
  );

const changed = (place: string): AuroraError =>
  new AuroraError(
    'inputs',
    `${place}: this row was changed while the file was in use.`,
    'Put the file back as it was and resume from the last checkpoint, or start a new run.',
  );
