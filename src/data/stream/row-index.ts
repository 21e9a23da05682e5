import type { Quotes } from '../../table/quoting';
import type { SkippedRow } from '../table/rows';

/** A row's text was longer than the longest input. */
export const TRUNCATED = 1;
/** A row whose text has no token at all. */
export const NO_TOKENS = 2;

/** A number for each usable row of a file, or as many as stated. */
export interface IndexColumns {
  /** The positions of the rows' bytes. */
  starts: Float64Array;
  lengths: Uint32Array;
  lines: Uint32Array;
  /** CRC-32 of its bytes, so that a changed row is noticed when it is read. */
  sums: Uint32Array;
  /** Two numbers: see `inputKey`. */
  keys: Uint32Array;
  /** CRC-32 of its label. */
  answers: Uint32Array;
  /** The number of tokens of each row; 0 if there is nothing to learn from it. */
  sizes: Uint32Array;
  /** The number of them that are to be predicted; empty for a task that does not predict tokens. */
  counts: Uint32Array;
  /** The beginnings of the rows' marks in `marks`, and one number more. */
  markStarts: Uint32Array;
  /** Indices into `names`. */
  marks: Uint32Array;
  flags: Uint8Array;
}

/** The facts that are kept in memory about a file whose rows are not: the place, the length and the answer of each. */
export interface RowIndex {
  columns: IndexColumns;
  /** The labels, or numbers, that are to be learned, in the order in which they occur. */
  names: string[];
  /** The names of the file's own columns. */
  fields: string[];
  skipped: SkippedRow[];
  /** The treatment of its quotes, if its content decided. */
  quotes?: Quotes;
  /** For several files that are read as one, the number that the first line of each would follow. */
  before?: number[];
}

const KINDS = { Float64Array, Uint32Array, Uint8Array } as const;

/** The type of each column, in the order in which they are stored. */
const COLUMN_KINDS: Record<keyof IndexColumns, keyof typeof KINDS> = {
  starts: 'Float64Array',
  lengths: 'Uint32Array',
  lines: 'Uint32Array',
  sums: 'Uint32Array',
  keys: 'Uint32Array',
  answers: 'Uint32Array',
  sizes: 'Uint32Array',
  counts: 'Uint32Array',
  markStarts: 'Uint32Array',
  marks: 'Uint32Array',
  flags: 'Uint8Array',
};

export type ColumnName = keyof IndexColumns;
export const COLUMN_NAMES = Object.keys(COLUMN_KINDS) as ColumnName[];

export const makeColumn = (name: ColumnName, length: number) => new KINDS[COLUMN_KINDS[name]](length);

/** Its bytes, as a view. */
export const bytesOfColumn = ({ buffer, byteOffset, byteLength }: NodeJS.TypedArray): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

const BLOCK = 1 << 16;

/** A column that grows, in blocks: doubling would take twice its memory. */
export class GrowingColumn {
  private readonly blocks: ReturnType<typeof makeColumn>[] = [];
  length = 0;

  constructor(private readonly name: ColumnName) {}

  push(value: number): void {
    const at = this.length++ % BLOCK;
    if (at === 0) this.blocks.push(makeColumn(this.name, BLOCK));
    this.blocks[this.blocks.length - 1]![at] = value;
  }

  /** Gives its blocks up. */
  done(): ReturnType<typeof makeColumn> {
    const column = makeColumn(this.name, this.length);
    this.blocks.forEach((block, i) => {
      const left = Math.min(BLOCK, column.length - i * BLOCK);
      column.set(block.subarray(0, left), i * BLOCK);
    });
    this.blocks.length = 0;
    return column;
  }
}

export const ofColumns = <T>(make: (name: ColumnName) => T): Record<ColumnName, T> =>
  Object.fromEntries(COLUMN_NAMES.map((name) => [name, make(name)])) as Record<ColumnName, T>;
