import { type AsyncBuffer, type FileMetaData, parquetMetadata } from 'hyparquet';
import {
  excess,
  ExcessError,
  MOST_DECIMAL,
  MOST_FOOTER,
  MOST_FOOTER_VALUES,
  MOST_LEVELS,
  mostRows,
} from './decompress';

/** Fields of the footer's structures. */
const [SCHEMA, ROW_GROUPS, COLUMNS, META_DATA, STATISTICS] = [2, 4, 1, 3, 12];
const [TYPE, CHILDREN, CONVERTED] = [1, 5, 6];
const DECIMAL = 5;

/**
 * The metadata of a Parquet file, checked before and after the library has read it: its structures, how deeply columns
 * are nested, that its column chunks lie in the file and share no bytes, and that it is large enough for its rows.
 *
 * @throws ExcessError if it states too much, Error if it is damaged
 */
export async function readFooter(file: AsyncBuffer): Promise<FileMetaData> {
  const size = file.byteLength;
  const length = new DataView(await file.slice(size - 8, size)).getUint32(0, true);
  if (length > size - 8)
    throw new Error(`parquet metadata length ${length} exceeds available buffer ${size - 8}`);
  if (length > MOST_FOOTER) throw excess('its footer', length, 'bytes', size);
  const footer = new Uint8Array(await file.slice(size - 8 - length, size));
  checkStructures(footer.subarray(0, length));
  const metadata = parquetMetadata(footer, { geoparquet: false });
  checkRowGroups(metadata, size);
  return metadata;
}

/** Statistics of decimals are numbers, which take quadratic time to read. */
function checkStructures(footer: Uint8Array): void {
  const long = new Set<number>();
  const check = new ThriftCheck(footer, 0, MOST_FOOTER_VALUES, (path, length) => {
    const [groups, , columns, column, data, statistics] = path;
    if (
      length > MOST_DECIMAL &&
      groups === ROW_GROUPS &&
      columns === COLUMNS &&
      data === META_DATA &&
      statistics === STATISTICS
    )
      long.add(column!);
  });
  const { lists } = check.read(([field]) => field === undefined || field === SCHEMA);
  const schema = lists.get(SCHEMA) ?? [];
  checkNesting(schema);
  const columns = schema.filter(({ numbers }) => numbers.has(TYPE));
  for (const column of long)
    if (columns[column]?.numbers.get(CONVERTED) === DECIMAL)
      throw new Error(`a statistic of a decimal has more than ${MOST_DECIMAL} bytes`);
}

/** Elements come in the depth-first order of their tree, each with its number of children. */
function checkNesting(schema: readonly ThriftFields[]): void {
  const open: number[] = [];
  for (const { numbers } of schema) {
    while (open.at(-1) === 0) open.pop();
    if (open.length > 0) open[open.length - 1]!--;
    const children = numbers.get(CHILDREN) ?? 0;
    if (children < 0 || children > schema.length) throw new Error(`a column has ${children} parts`);
    if (children > 0) open.push(children);
    if (open.length > MOST_LEVELS)
      throw new ExcessError(`a column is nested more than ${MOST_LEVELS} levels deep`);
  }
}

function checkRowGroups({ num_rows, row_groups }: FileMetaData, size: number): void {
  const rows = Number(num_rows);
  let [sum, bytes] = [0, 0];
  for (const group of row_groups) {
    const own = Number(group.num_rows);
    if (!(own >= 0)) throw new Error(`a row group has ${own} rows`);
    sum += own;
    for (const { meta_data } of group.columns) {
      if (!meta_data) continue;
      const stored = Number(meta_data.total_compressed_size);
      const start = Number(meta_data.dictionary_page_offset || meta_data.data_page_offset);
      if (!(start >= 0 && stored >= 0 && start + stored <= size))
        throw new Error(`a column chunk is not in the file`);
      bytes += stored;
    }
  }
  if (sum !== rows) throw new Error(`its row groups have ${sum} rows, and not ${rows}`);
  if (rows > mostRows(size)) throw excess('it', rows, 'rows', size);
  if (bytes > size) throw new Error('its column chunks overlap');
}

/** A structure's numbers and its structures, by field. For a list, only its structures are kept. */
export interface ThriftFields {
  numbers: Map<number, number>;
  structures: Map<number, ThriftFields>;
  lists: Map<number, ThriftFields[]>;
}

/** Deeper than Parquet's own structures are nested. */
const MOST_DEPTH = 16;

const [STOP, TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, STRUCT] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12,
] as const;

/** Bytes of the longest number of 32 and of 64 bits. */
const [LONGEST_32, LONGEST_64] = [5, 10];

/**
 * Checks a structure in Thrift's compact protocol in linear time, before the library reads it: lists are as long as
 * their bytes allow, numbers end, and structures are not nested too deeply. The library allocates the stated length of
 * a list.
 */
export class ThriftCheck {
  private values = 0;

  /**
   * @param at the position where the structure begins; afterwards, the one where it ended
   * @param most values in it, and in its inner structures
   * @param onText length and path of each byte string: field numbers from the outermost structure, with list positions
   */
  constructor(
    private readonly bytes: Uint8Array,
    public at: number,
    private readonly most: number,
    private readonly onText?: (path: readonly number[], length: number) => void,
  ) {}

  /** @param keeps returns true for a structure whose fields are wanted, by its path. Throws an Error for a damaged one */
  read(keeps: (path: readonly number[]) => boolean): ThriftFields {
    return this.structure([], keeps) ?? empty();
  }

  private structure(path: number[], keeps: (path: readonly number[]) => boolean): ThriftFields | undefined {
    if (path.length > 2 * MOST_DEPTH) throw new Error('structures are nested too deeply');
    const fields = keeps(path) ? empty() : undefined;
    for (let id = 0; ;) {
      const byte = this.byte();
      const type = byte & 15;
      if (type === STOP) return fields;
      id = byte >> 4 ? id + (byte >> 4) : zigzag(this.varint());
      path.push(id);
      const value = this.element(type, path, keeps);
      path.pop();
      if (!fields) continue;
      if (typeof value === 'number') fields.numbers.set(id, value);
      else if (Array.isArray(value)) fields.lists.set(id, value);
      else if (value) fields.structures.set(id, value);
    }
  }

  private element(
    type: number,
    path: number[],
    keeps: (path: readonly number[]) => boolean,
  ): number | ThriftFields | ThriftFields[] | undefined {
    if (++this.values > this.most) throw new Error(`it has more than ${this.most} values`);
    switch (type) {
      case TRUE:
      case FALSE:
        return type === TRUE ? 1 : 0;
      case BYTE:
        return (this.byte() << 24) >> 24;
      case I16:
      case I32:
        return zigzag(this.varint());
      case I64:
        this.skipNumber();
        return undefined;
      case DOUBLE:
        return this.skip(8);
      case BINARY: {
        const length = this.varint();
        this.onText?.(path, length);
        return this.skip(length);
      }
      case LIST:
        return this.list(path, keeps);
      case STRUCT:
        return this.structure(path, keeps);
      default:
        throw new Error(`Thrift's type ${type} is not used in Parquet`);
    }
  }

  private list(path: number[], keeps: (path: readonly number[]) => boolean): ThriftFields[] {
    const byte = this.byte();
    const size = byte >> 4 === 15 ? this.varint() : byte >> 4;
    const type = byte & 15;
    if (size < 0 || size > this.bytes.length - this.at)
      throw new Error(`a list of ${size} values has ${this.bytes.length - this.at} bytes`);
    const kept: ThriftFields[] = [];
    for (let i = 0; i < size; i++) {
      path.push(i);
      // In a list, a boolean has a byte.
      const value = this.element(type === TRUE || type === FALSE ? BYTE : type, path, keeps);
      path.pop();
      if (typeof value === 'object' && !Array.isArray(value)) kept.push(value);
    }
    return kept;
  }

  private byte(): number {
    if (this.at >= this.bytes.length) throw new Error('a structure does not end');
    return this.bytes[this.at++]!;
  }

  /** A number as 32 bits with a sign, as the library has it. */
  private varint(): number {
    let value = 0;
    for (let i = 0; i < LONGEST_32; i++) {
      const byte = this.byte();
      value |= (byte & 127) << (7 * i);
      if (byte < 128) return value;
    }
    throw new Error('a number does not end');
  }

  private skipNumber(): void {
    for (let i = 0; i < LONGEST_64; i++) if (this.byte() < 128) return;
    throw new Error('a number does not end');
  }

  private skip(length: number): undefined {
    if (length < 0 || length > this.bytes.length - this.at) throw new Error('a text does not end');
    this.at += length;
  }
}

const zigzag = (value: number): number => (value >>> 1) ^ -(value & 1);

const empty = (): ThriftFields => ({ numbers: new Map(), structures: new Map(), lists: new Map() });
