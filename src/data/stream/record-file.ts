import { fstatSync, openSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { AuroraError } from '../../base/errors';
import { type FileIdentity, identify, identityOf, sameIdentity } from '../../files/identity';
import { type FilePart, rowPlace } from '../../protocol/row-place';
import { unreadable } from '../../table/data-files';
import type { PlacedTable } from '../../table/records';
import type { Audited } from '../audit';
import { type CopiedRow, damagedCopy, readAt } from '../copied-rows';
import { MadeList } from '../list';
import type { MarkedFormat, ReadOptions, Row } from '../table/rows';
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

/** Some rows of a large file, each read when it is asked for. */
export class StreamedRows<R extends Row> extends MadeList<R> {
  /** @param places of the rows in the file's index */
  constructor(
    readonly file: RecordFile<R>,
    readonly places: Uint32Array,
  ) {
    super();
  }

  static all<R extends Row>(file: RecordFile<R>): StreamedRows<R> {
    return new StreamedRows(
      file,
      Uint32Array.from({ length: file.index.columns.lines.length }, (_, i) => i),
    );
  }

  get length(): number {
    return this.places.length;
  }

  at(index: number): R | undefined {
    const place = this.places[index];
    return place === undefined ? undefined : this.file.row(place);
  }

  /** Each without its texts, which takes no reading. */
  get marked(): Iterable<R> {
    const { file, places } = this;
    return {
      *[Symbol.iterator]() {
        for (const place of places) yield file.marked(place);
      },
    };
  }

  pick(indices: ArrayLike<number>): StreamedRows<R> {
    return new StreamedRows(
      this.file,
      Uint32Array.from(indices, (i) => this.places[i]!),
    );
  }

  lineOf(index: number): number {
    return this.file.index.columns.lines[this.places[index]!]!;
  }

  get audited(): Audited {
    const { keys, answers } = this.file.index.columns;
    const own = new Uint32Array(2 * this.length);
    this.places.forEach((place, i) => own.set(keys.subarray(2 * place, 2 * place + 2), 2 * i));
    return {
      length: this.length,
      keys: own,
      answers: this.places.map((place) => answers[place]!),
      line: (row) => this.lineOf(row),
      label: (row) => this.at(row)!.label,
    };
  }
}

/** A file, and where its first byte is counted from. */
interface Source {
  path: string;
  start: number;
}

/**
 * The bytes of one file, or of several as if they were one. All stay open, so that another file under one of their names
 * changes nothing.
 */
class RowBytes {
  private readonly files: readonly (Source & { file: number })[];

  /** @throws AuroraError 'data' if one cannot be read */
  constructor(sources: readonly Source[]) {
    this.files = sources.map((source) => {
      try {
        return { ...source, file: openSync(source.path, 'r') };
      } catch (cause) {
        throw unreadable(source.path, cause);
      }
    });
  }

  /** The only file, where there is one. */
  get first(): { path: string; file: number; process: number } {
    const { path, file } = this.files[0]!;
    return { path, file, process: process.pid };
  }

  /** The first file that is another one by now. @param identities of all, in their order */
  changed(identities: readonly FileIdentity[]): string | undefined {
    const isOther = ({ file }: { file: number }, i: number) =>
      !sameIdentity(identities[i]!, identityOf(fstatSync(file, { bigint: true })));
    return this.files.find(isOther)?.path;
  }

  /** The existing part of these bytes. @throws AuroraError 'data' if they cannot be read */
  read(start: number, length: number): Buffer {
    const { path, file, start: first } = this.files.findLast((f) => f.start <= start)!;
    return readAt(path, file, start - first, length);
  }
}
