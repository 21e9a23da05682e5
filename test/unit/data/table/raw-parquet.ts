/** Writes Parquet files byte by byte, so that they can state anything. */

/** Thrift's compact protocol: field, type and value. */
export type Field = [field: number, type: number, value: unknown];
const [I32, I64, BINARY, LIST, STRUCT] = [5, 6, 8, 9, 12];

export function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  for (let rest = BigInt(value); ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) | 128);
  }
}

const zigzag = (value: number | bigint): Buffer => {
  const v = BigInt(value);
  return varint(v < 0n ? -2n * v - 1n : 2n * v);
};

export function struct(fields: Field[]): Buffer {
  let last = 0;
  const parts = fields.map(([field, type, value]) => {
    const by = field - last;
    const begin =
      by < 16 ? Buffer.from([(by << 4) | type]) : Buffer.concat([Buffer.from([type]), zigzag(field)]);
    last = field;
    return Buffer.concat([begin, encoded(type, value)]);
  });
  return Buffer.concat([...parts, Buffer.from([0])]);
}

function encoded(type: number, value: unknown): Buffer {
  if (value instanceof Buffer) return value;
  if (type === I32 || type === I64) return zigzag(value as number);
  if (type === BINARY)
    return Buffer.concat([varint(Buffer.byteLength(value as string)), Buffer.from(value as string)]);
  if (type === STRUCT) return struct(value as Field[]);
  throw new Error(`type ${type}`);
}

export const list = (type: number, items: Buffer[]): Buffer =>
  Buffer.concat([Buffer.from([0xf0 | type]), varint(items.length), ...items]);

const texts = (items: string[]): Buffer =>
  list(
    BINARY,
    items.map((item) => encoded(BINARY, item)),
  );

export const [UNCOMPRESSED, SNAPPY, GZIP, BROTLI, ZSTD] = [0, 1, 2, 4, 6];
export const [BYTE_ARRAY, FIXED, INT32] = [6, 7, 1];
export const [REQUIRED, OPTIONAL, REPEATED] = [0, 1, 2];

export interface RawPage {
  /** Number of the page's type: 0 data, 2 dictionary, 3 data of version 2. */
  type: number;
  values: number;
  encoding?: number;
  body: Buffer;
  /** The body's size according to the header, if that is wrong. */
  plain?: number;
  nulls?: number;
  levels?: [definition: number, repetition: number];
}

export function page({
  type,
  values,
  encoding = 0,
  body,
  plain = body.length,
  nulls = 0,
  levels = [0, 0],
}: RawPage): Buffer {
  const header: Field[] = [
    [1, I32, type],
    [2, I32, plain],
    [3, I32, body.length],
  ];
  if (type === 0)
    header.push([5, STRUCT, [[1, I32, values], [2, I32, encoding], [3, I32, 3], [4, I32, 3]] satisfies Field[]]); // prettier-ignore
  else if (type === 2) header.push([7, STRUCT, [[1, I32, values], [2, I32, encoding]] satisfies Field[]]);
  else
    header.push([8, STRUCT, [[1, I32, values], [2, I32, nulls], [3, I32, values], [4, I32, encoding], [5, I32, levels[0]], [6, I32, levels[1]]] satisfies Field[]]); // prettier-ignore
  return Buffer.concat([struct(header), body]);
}

/** A dictionary of one text. */
export function dictionary(text: string | Buffer, values = 1): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return page({ type: 2, values, body: Buffer.concat([length, Buffer.from(text)]) });
}

/** A run that repeats a value of at most a byte. */
export const run = (count: number, value: number): Buffer =>
  Buffer.concat([varint(count * 2), Buffer.from([value])]);

/** With its length before it. */
export function sized(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

export interface RawFile {
  /** The schema of the column "text", by default a required string. */
  element?: Field[];
  schema?: Buffer[];
  pages: Buffer[];
  rows: number;
  /** The rows of the file, if not those of its row groups. */
  total?: number;
  codec?: number;
  groups?: number;
  /** Bytes before the footer. */
  padding?: number;
  path?: string[];
  offset?: number;
  statistics?: Buffer;
}

export const element = (name: string, more: Field[] = [[3, I32, REQUIRED]], type?: number): Buffer => {
  const fields: Field[] = [
    ...(type === undefined ? [] : [[1, I32, type] as Field]),
    [4, BINARY, name],
    ...more,
  ];
  return struct(fields.sort((a, b) => a[0] - b[0]));
};

/** A file with the column "text" and as many row groups, which share its pages. */
export function rawParquet(file: RawFile): Buffer {
  const { pages, rows, codec = UNCOMPRESSED, groups = 1, padding = 0, path = ['text'], offset = 4 } = file;
  const data = Buffer.concat(pages);
  const schema = file.schema ?? [
    element('schema', [[5, I32, 1]]),
    element('text', file.element ?? [[3, I32, REQUIRED], [6, I32, 0]], BYTE_ARRAY), // prettier-ignore
  ];
  const chunk: Field[] = [
    [1, I32, BYTE_ARRAY],
    [2, LIST, list(I32, [zigzag(0)])],
    [3, LIST, texts(path)],
    [4, I32, codec],
    [5, I64, rows],
    [6, I64, data.length],
    [7, I64, data.length],
    [9, I64, offset],
    ...(file.statistics ? [[12, STRUCT, [[1, BINARY, file.statistics]]] as Field] : []),
  ];
  const column = struct([
    [2, I64, 0],
    [3, STRUCT, chunk],
  ]);
  const group = struct([
    [1, LIST, list(STRUCT, [column])],
    [2, I64, data.length],
    [3, I64, rows],
  ]);
  const footer = struct([
    [1, I32, 1],
    [2, LIST, list(STRUCT, schema)],
    [3, I64, file.total ?? rows * groups],
    [
      4,
      LIST,
      list(
        STRUCT,
        Array.from({ length: groups }, () => group),
      ),
    ],
  ]);
  return withFooter(Buffer.concat([data, Buffer.alloc(padding)]), footer);
}

export function withFooter(data: Buffer, footer: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.length);
  const magic = Buffer.from('PAR1');
  return Buffer.concat([magic, data, footer, length, magic]);
}
