import type { CompressionCodec, SchemaTree } from 'hyparquet';
import { DECOMPRESS, excess, mostBytes, mostValues, MOST_HEADER_VALUES } from './decompress';
import { checkDeltas, checkRuns } from './level-runs';
import { ThriftCheck, type ThriftFields } from './footer';

/** Numbers in the format's page headers. */
const [DATA, DICTIONARY, DATA_V2] = [0, 2, 3];
const [PLAIN, PLAIN_DICTIONARY, RLE, DELTA, DELTA_LENGTH, DELTA_BYTES, RLE_DICTIONARY, SPLIT] = [
  0, 2, 3, 5, 6, 7, 8, 9,
];
const ENCODINGS = [PLAIN, PLAIN_DICTIONARY, RLE, DELTA, DELTA_LENGTH, DELTA_BYTES, RLE_DICTIONARY, SPLIT];

/** Bytes of a byte-stream-split page, which the library allocates by its number of values. */
const MOST_SPLIT = 2 ** 28;

/** A column that has values itself, and how it is stored. */
export interface Leaf {
  /** "row group 3, column "text"" */
  where: string;
  type: string;
  /** Bytes of a value, where the type has values of the same length. */
  length: number;
  /** The highest level of each kind, 0 for none. */
  definition: number;
  repetition: number;
}

export const leafOf = (where: string, path: readonly SchemaTree[]): Leaf => {
  const { type, type_length: length = 0 } = path.at(-1)!.element;
  const kinds = path.slice(1).map(({ element }) => element.repetition_type);
  return {
    where,
    type: String(type),
    length,
    definition: kinds.filter((kind) => kind !== 'REQUIRED').length,
    repetition: kinds.filter((kind) => kind === 'REPEATED').length,
  };
};

/** The sizes that the chunks of one column in one row group have stated so far. */
export interface Stated {
  values: number;
  bytes: number;
}

/** A page of values, or of a dictionary. */
interface Page {
  /** Including nulls, in version 1. */
  values: number;
  encoding: number;
  isDictionary: boolean;
  /** The levels of version 2 come before the compressed part, and have been checked. */
  hasLevels: boolean;
}

/**
 * The pages of a column chunk, checked before the library decodes them. The stated and decompressed sizes are bounded
 * by the bytes that the row group has stored.
 *
 * @param chunk its bytes
 * @param values that the chunk has according to the footer
 * @param stored bytes of its row group
 * @throws ExcessError if there would be too much, Error if the pages are damaged
 */
export class CheckedPages {
  /** Pages by the position where their compressed bytes begin. */
  private readonly pages = new Map<number, Page>();
  /** The end of the last page. */
  readonly end: number;

  constructor(
    private readonly chunk: Uint8Array,
    private readonly leaf: Leaf,
    private readonly codec: CompressionCodec,
    values: number,
    private readonly stored: number,
    column: Stated,
  ) {
    const { where } = leaf;
    let at = 0;
    for (let found = 0; at < chunk.length - 1;) {
      const header = this.headerAt(at, found >= values);
      // Some writers leave a gap behind the last page.
      if (!header) break;
      const { fields, end } = header;
      const [plain, packed] = [numberIn(fields, 2), numberIn(fields, 3)];
      if (packed > chunk.length - end) throw new Error('a page is cut off');
      column.bytes += plain;
      if (column.bytes > mostBytes(stored))
        throw excess(where, column.bytes, 'bytes when decompressed', stored);
      const more = this.add(fields, end, plain, packed);
      found += more;
      column.values += more * nesting(leaf);
      if (column.values > mostValues(stored)) throw excess(where, column.values, 'values', stored);
      at = end + packed;
    }
    this.end = at;
  }

  /** @param isOptional true if a damaged one counts as missing */
  private headerAt(at: number, isOptional: boolean): { fields: ThriftFields; end: number } | undefined {
    try {
      const check = new ThriftCheck(this.chunk, at, MOST_HEADER_VALUES);
      const fields = check.read(() => true);
      return { fields, end: check.at };
    } catch (e) {
      if (isOptional) return undefined;
      throw e;
    }
  }

  /** For the library, which asks for each page that it needs. */
  decompress(input: Uint8Array, length: number): Uint8Array {
    const page = this.pages.get(input.byteOffset);
    if (!page) throw new Error('a page is not where its header says');
    const bytes = DECOMPRESS[this.codec]!(input, length);
    this.check(page, bytes);
    return bytes;
  }

  /** @returns the number of its values, 0 for a dictionary */
  private add(header: ThriftFields, at: number, plain: number, packed: number): number {
    const type = numberIn(header, 1);
    if (type === DATA) return this.addData(structureIn(header, 5), at);
    if (type === DATA_V2) return this.addSecond(structureIn(header, 8), at, plain, packed);
    if (type !== DICTIONARY) throw new Error(`a page of type ${type}`);
    const values = numberIn(structureIn(header, 7), 1);
    if (values > 8 * plain) throw new Error(`a dictionary of ${values} values in ${plain} bytes`);
    if (values > mostValues(this.stored))
      throw excess(this.leaf.where, values, 'values in a dictionary', this.stored);
    this.pages.set(at, { values, encoding: PLAIN, isDictionary: true, hasLevels: true });
    return 0;
  }

  private addData(fields: ThriftFields, at: number): number {
    const [values, encoding] = [numberIn(fields, 1), encodingIn(fields, 2)];
    this.pages.set(at, { values, encoding, isDictionary: false, hasLevels: false });
    return values;
  }

  private addSecond(fields: ThriftFields, at: number, plain: number, packed: number): number {
    const values = numberIn(fields, 1);
    const nulls = numberIn(fields, 2);
    if (nulls > values) throw new Error('a page has more nulls than values');
    // The library skips a page by its rows.
    if (numberIn(fields, 3) > values) throw new Error('a page has more rows than values');
    const [definition, repetition] = [numberIn(fields, 5), numberIn(fields, 6)];
    const levels = definition + repetition;
    if (levels > Math.min(plain, packed)) throw new Error('the levels of a page are cut off');
    const { leaf, chunk } = this;
    if (values > mostValues(this.stored)) throw excess(leaf.where, values, 'values', this.stored);
    const body = chunk.subarray(at, at + packed);
    if (leaf.repetition > 0) checkRuns(body, 0, bits(leaf.repetition), values);
    if (leaf.definition > 0) checkRuns(body, repetition, bits(leaf.definition), values);
    else if (definition > 0) throw new Error('a page has levels that its column does not have');
    const page = {
      values: values - nulls,
      encoding: encodingIn(fields, 4),
      isDictionary: false,
      hasLevels: true,
    };
    this.pages.set(at + levels, page);
    // Pages that are not compressed are not asked for.
    if (fields.numbers.get(7) === 0 || plain === levels) this.check(page, body.subarray(levels));
    return values;
  }

  /** @param bytes decompressed */
  private check({ values, encoding, isDictionary, hasLevels }: Page, bytes: Uint8Array): void {
    if (isDictionary || values === 0) return;
    const { leaf } = this;
    let at = 0;
    let there = values;
    for (const level of hasLevels ? [] : [leaf.repetition, leaf.definition])
      if (level > 0) {
        there = checkRuns(bytes, at + 4, bits(level), values, level);
        at += 4 + uint32(bytes, at);
      }
    // Nulls have no value.
    if (leaf.definition === 0) there = values;
    this.checkValues(encoding, bytes, at, there, hasLevels);
  }

  private checkValues(
    encoding: number,
    bytes: Uint8Array,
    at: number,
    values: number,
    isSecond: boolean,
  ): void {
    const { leaf } = this;
    // A page of nulls may have no bytes for values.
    if (at >= bytes.length) return;
    if (encoding === RLE && (isSecond || leaf.type === 'BOOLEAN')) checkRuns(bytes, at + 4, 1, values);
    else if (encoding === RLE || encoding === PLAIN_DICTIONARY || encoding === RLE_DICTIONARY) {
      const width = bytes[at]!;
      // Version 1 has no runs of values without bits.
      if (width > 0 || isSecond) checkRuns(bytes, at + 1, width, values);
    } else if (encoding === DELTA || encoding === DELTA_LENGTH) checkDeltas(bytes, at, values);
    else if (encoding === DELTA_BYTES) this.checkPrefixes(bytes, at, values);
    else if (encoding === SPLIT && values * Math.max(8, leaf.length) > MOST_SPLIT)
      throw excess(leaf.where, values * leaf.length, 'bytes', this.stored);
  }

  /** Values share the beginning of the one before, so that a few bytes can state any number of long ones. */
  private checkPrefixes(bytes: Uint8Array, at: number, values: number): void {
    let sum = 0;
    const most = mostBytes(this.stored);
    const add = (length: number) => {
      if (length < 0) throw new Error('a value has a negative length');
      sum += length;
      if (sum > most) throw excess(this.leaf.where, sum, 'bytes', this.stored);
    };
    checkDeltas(bytes, checkDeltas(bytes, at, values, add), values, add);
  }
}

const bits = (level: number): number => 32 - Math.clz32(level);

/** Every value of a deeply nested column is a chain of lists. */
const nesting = ({ definition }: Leaf): number => Math.ceil((definition + 1) / 4);

function uint32(bytes: Uint8Array, at: number): number {
  if (at + 4 > bytes.length) throw new Error('the levels of a page are cut off');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).readUInt32LE(at);
}

function numberIn({ numbers }: ThriftFields, field: number): number {
  const value = numbers.get(field);
  if (value === undefined || value < 0) throw new Error(`a page's header has no valid field ${field}`);
  return value;
}

function structureIn({ structures }: ThriftFields, field: number): ThriftFields {
  const value = structures.get(field);
  if (!value) throw new Error(`a page's header has no field ${field}`);
  return value;
}

function encodingIn(fields: ThriftFields, field: number): number {
  const encoding = numberIn(fields, field);
  if (!ENCODINGS.includes(encoding)) throw new Error(`values of the encoding ${encoding}`);
  return encoding;
}
