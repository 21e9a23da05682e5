import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { AuroraError } from '../../../../src/base/errors';
import { openParquet } from '../../../../src/table/parquet';
import { temporaryFolder } from '../support';
import {
  BROTLI,
  BYTE_ARRAY,
  dictionary,
  element,
  FIXED,
  GZIP,
  OPTIONAL,
  page,
  rawParquet,
  REPEATED,
  REQUIRED,
  run,
  sized,
  SNAPPY,
  struct,
  varint,
  withFooter,
  ZSTD,
  type RawFile,
} from './raw-parquet';

const folder = temporaryFolder();
const MOST_MS = 5000;
const MOST_BYTES = 600 * 2 ** 20;

/** All rows of a file's column "text". */
async function read(bytes: Buffer, end = Infinity): Promise<unknown[]> {
  const table = await openParquet(folder.write('hostile.parquet', bytes));
  const values: unknown[] = [];
  for await (const records of table.records(table.columns, { start: 0, end }))
    for (const record of records) values.push('fields' in record && record.fields.get('text'));
  return values;
}

/** Reads until the file is refused, which takes little time and memory. */
async function refusal(bytes: Buffer): Promise<string> {
  const [began, before] = [performance.now(), process.memoryUsage.rss()];
  const error = await read(bytes).then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(AuroraError);
  expect(error).toMatchObject({
    kind: 'data',
    message: expect.stringContaining('hostile.parquet') as string,
  });
  expect(performance.now() - began).toBeLessThan(MOST_MS);
  expect(process.memoryUsage.rss() - before).toBeLessThan(MOST_BYTES);
  return (error as AuroraError).message;
}

const INDICES = 8;
/** Indices of the width 1 into a dictionary. */
const repeated = (values: number, stated = values): Buffer =>
  page({ type: 0, values, encoding: INDICES, body: Buffer.concat([Buffer.from([1]), run(stated, 0)]) });
const file = (pages: Buffer[], rows: number, more: Partial<RawFile> = {}): Buffer =>
  rawParquet({ pages: [dictionary('a'), ...pages], rows, ...more });
const optional = { element: [[3, 5, OPTIONAL], [6, 5, 0]] as RawFile['element'] }; // prettier-ignore

describe('a Parquet file that states little in few bytes', () => {
  it('is read', async () => {
    expect(await read(file([repeated(5)], 5))).toEqual(['a', 'a', 'a', 'a', 'a']);
    const levels = sized(Buffer.concat([run(2, 1), run(3, 0)]));
    const body = Buffer.concat([levels, Buffer.from([1]), run(2, 0)]);
    const nulls = page({ type: 0, values: 5, encoding: INDICES, body });
    expect(await read(file([nulls], 5, optional))).toEqual(['a', 'a', null, null, null]);
    expect(await read(file([repeated(2 ** 20)], 2 ** 20), 3)).toEqual(['a', 'a', 'a']);
  });
});

describe('a Parquet file that states far more than its bytes explain is refused', () => {
  it('by its rows', async () => {
    const message = await refusal(file([repeated(3e7)], 3e7, { padding: 1000 }));
    expect(message).toMatch(
      /hostile\.parquet is not read: it has 30,000,000 rows in [\d,]+ bytes, which would exhaust the memory/,
    );
    expect(await refusal(file([repeated(10)], 2 ** 53, {}))).toContain('rows in');
    expect(await refusal(file([repeated(10)], 10, { total: 3e7 }))).toContain('damaged');
  });

  it.each([5e6, 2 ** 31 - 1])('by %d values of a page', async (values) => {
    expect(await refusal(file([repeated(values)], 10))).toContain('the column "text" of row group 1 has');
    const second = page({ type: 3, values, encoding: INDICES, body: Buffer.from([1, 20, 0]) });
    expect(await refusal(file([second], 10))).toContain('values in');
    const none = page({ type: 0, values, encoding: INDICES, body: Buffer.from([0]) });
    expect(await refusal(file([none], 10))).toContain('values in');
  });

  it('by the values of many pages together', async () => {
    const many = Array.from({ length: 20 }, () => repeated(2 ** 20));
    expect(await refusal(file(many, 100))).toContain('values in');
  });

  it('by the values of lists, which have no rows of their own', async () => {
    const values = 2 ** 22 + 1;
    const levels = Buffer.concat([sized(run(values, 1)), sized(run(values, 1))]);
    const body = Buffer.concat([levels, Buffer.from([1]), run(values, 0)]);
    const items = page({ type: 0, values, encoding: INDICES, body });
    const lists: RawFile['element'] = [[3, 5, REPEATED], [6, 5, 0]]; // prettier-ignore
    expect(await refusal(file([items], 1, { element: lists }))).toContain('values in');
  });

  it.each([100, 1e6, 2 ** 30 - 1])('by a run of %d values in a page of 10', async (length) => {
    for (const codec of [0, GZIP]) {
      const packed = (body: Buffer) => (codec === GZIP ? gzipSync(body) : body);
      const write = (body: Buffer, type: number, more: Partial<RawFile> = {}) =>
        rawParquet({
          pages: [
            page({ type: 2, values: 1, plain: 5, body: packed(Buffer.from([1, 0, 0, 0, 97])) }),
            page({ type, values: 10, encoding: INDICES, plain: body.length, body: packed(body) }),
          ],
          rows: 10,
          codec,
          ...more,
        });
      const indices = Buffer.concat([Buffer.from([1]), run(length, 0)]);
      expect(await refusal(write(indices, 0))).toContain('a run of');
      expect(await refusal(write(indices, 3))).toContain('a run of');
      const levels = Buffer.concat([sized(run(length, 1)), indices]);
      expect(await refusal(write(levels, 0, optional))).toContain('a run of');
    }
    const levels = run(length, 1);
    const body = Buffer.concat([levels, Buffer.from([1]), run(10, 0)]);
    const second = page({ type: 3, values: 10, encoding: INDICES, body, levels: [levels.length, 0] });
    expect(await refusal(file([second], 10, optional))).toContain('a run of');
    const bits = Buffer.concat([Buffer.from([1]), varint(length * 2 + 1), Buffer.alloc(20)]);
    expect(await refusal(file([page({ type: 0, values: 10, encoding: INDICES, body: bits })], 10))).toContain('a run of'); // prettier-ignore
  });

  it('by the size of its dictionary', async () => {
    for (const values of [1000, 1e7, 2 ** 31 - 1])
      expect(await refusal(rawParquet({ pages: [dictionary('a', values), repeated(5)], rows: 5 }))).toContain(
        `a dictionary of ${values} values`,
      );
  });

  it('by texts that its rows share', async () => {
    const long = rawParquet({ pages: [dictionary('x'.repeat(2 ** 20)), repeated(4e6)], rows: 4e6 });
    expect(await refusal(long)).toContain('the text of its rows has');
    expect(await read(long, 2)).toHaveLength(2);
  });

  it('by texts that begin like the one before', async () => {
    // The first has 2^20 characters, and each of a million others all of them.
    const prefixes = Buffer.concat([varint(2 ** 20), varint(1), varint(1e6), varint(0), varint(2 ** 21), varint(0), Buffer.from([0])]); // prettier-ignore
    const suffixes = Buffer.concat([varint(2 ** 20), varint(1), varint(1e6), varint(2 ** 21), varint(2 ** 21 - 1), varint(0), Buffer.from([0])]); // prettier-ignore
    const body = Buffer.concat([prefixes, suffixes, Buffer.alloc(2 ** 20, 'x')]);
    expect(await refusal(file([page({ type: 0, values: 1e6, encoding: 7, body })], 1e6))).toContain(
      'bytes in',
    );
    expect(await refusal(file([page({ type: 3, values: 1e6, encoding: 7, body })], 1e6))).toContain(
      'bytes in',
    );
  });

  it('by blocks and numbers that have no end', async () => {
    const blocks = Buffer.concat([varint(128), varint(2 ** 31 - 1), varint(10), varint(0)]);
    expect(await refusal(file([page({ type: 0, values: 10, encoding: 6, body: blocks })], 10))).toContain(
      'blocks of',
    );
    const endless = Buffer.concat([varint(128), varint(4), varint(10), Buffer.alloc(2 ** 20, 0x80)]);
    expect(await refusal(file([page({ type: 0, values: 10, encoding: 5, body: endless })], 10))).toContain(
      'does not end',
    );
  });

  it.each([
    ['gzip', GZIP, gzipSync(Buffer.alloc(2 ** 26))],
    ['brotli', BROTLI, brotliCompressSync(Buffer.alloc(2 ** 26))],
    // A varint of the size, then nothing.
    ['snappy', SNAPPY, Buffer.concat([varint(2 ** 26), Buffer.alloc(100)])],
    // A frame of 2 GiB by its header, and blocks that repeat a byte 131,071 times.
    ['zstd', ZSTD, Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0x7f]), ...Array.from({ length: 1000 }, () => Buffer.from([0xfa, 0xff, 0x0f, 0]))])], // prettier-ignore
  ])('by pages that %s would make larger than stated, or that state too much', async (_, codec, body) => {
    const write = (plain: number) =>
      rawParquet({ pages: [page({ type: 0, values: 10, plain, body })], rows: 10, codec });
    expect(await refusal(write(100))).toContain('cannot be read');
    expect(await refusal(write(2 ** 31 - 1))).toContain('bytes when decompressed');
  });

  it('by its footer', async () => {
    const many = (length: number) =>
      withFooter(Buffer.alloc(8), length > 0 ? nested(length) : Buffer.alloc(0));
    // Lists in lists, each of as many as 2^24 values.
    const nested = (depth: number): Buffer =>
      Buffer.concat([Buffer.from([0x29]), ...Array.from({ length: depth }, () => Buffer.concat([Buffer.from([0xf9]), varint(2 ** 24)]))]); // prettier-ignore
    expect(await refusal(many(30))).toContain('a list of 16777216 values');
    const deep = Buffer.concat([Buffer.alloc(1e5, 0x1c), Buffer.alloc(1e5)]);
    expect(await refusal(withFooter(Buffer.alloc(8), deep))).toContain('nested too deeply');
    const big = struct([[1, 6, Buffer.concat([Buffer.alloc(2 ** 20, 0x80), Buffer.from([1])])]]);
    expect(await refusal(withFooter(Buffer.alloc(8), big))).toContain('does not end');
    const values = struct([[1, 9, Buffer.concat([Buffer.from([0xf5]), varint(9e6), Buffer.alloc(9e6)])]]);
    expect(await refusal(withFooter(Buffer.alloc(8), values))).toContain('has more than');
  });

  it('by chunks that overlap, or lie outside of it', async () => {
    const shared = [dictionary('x'.repeat(1e5)), repeated(10)];
    expect(await refusal(rawParquet({ pages: shared, rows: 10, groups: 5000 }))).toContain('overlap');
    for (const offset of [-5, 1e9, Number.MAX_SAFE_INTEGER])
      expect(await refusal(file([repeated(10)], 10, { offset }))).toContain('not in the file');
  });

  it('by how deeply its columns are nested', async () => {
    const depth = 5000;
    const schema = Array.from({ length: depth }, (_, i) => element(`c${i}`, [[3, 5, REPEATED], [5, 5, 1]])); // prettier-ignore
    const path = Array.from({ length: depth }, (_, i) => `c${i + 1}`);
    const text = element('text', [[3, 5, REQUIRED]], BYTE_ARRAY);
    expect(await refusal(file([repeated(10)], 10, { schema: [...schema, text], path }))).toContain(
      'nested more than 32 levels deep',
    );
  });

  it('by decimals and types that take unlimited time', async () => {
    const root = element('schema', [[5, 5, 1]]);
    const typed = (type: number, more: RawFile['element']) => [root, element('text', [[3, 5, REQUIRED], ...more!], type)]; // prettier-ignore
    const decimal = typed(FIXED, [[2, 5, 2 ** 20], [6, 5, 5], [7, 5, 2], [8, 5, 9]]); // prettier-ignore
    const message = await refusal(file([repeated(10)], 10, { schema: decimal }));
    expect(message).toContain('has decimals of more than 64 bytes');
    const statistics = Buffer.concat([varint(2 ** 20), Buffer.alloc(2 ** 20, 1)]);
    const small = typed(FIXED, [[2, 5, 16], [6, 5, 5], [7, 5, 2], [8, 5, 9]]); // prettier-ignore
    expect(await refusal(file([repeated(10)], 10, { schema: small, statistics }))).toContain('statistic');
    const variant = typed(BYTE_ARRAY, [[10, 12, struct([[16, 12, struct([])]])]]);
    expect(await refusal(file([repeated(10)], 10, { schema: variant }))).toContain('VARIANT');
  });
});
