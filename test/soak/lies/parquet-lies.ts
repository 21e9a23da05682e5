import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readRows } from '../../../src/data/table/rows';
import {
  dictionary,
  page,
  rawParquet,
  type RawFile,
  type RawPage,
  run,
} from '../../unit/data/table/raw-parquet';
import type { Draw } from '../draw';
import { readParquet } from '../subjects';
import { HUGE, type Lies } from './lie';

const FILE = 'rows.parquet';
const INDICES = 8;
const GZIP = 2;

const indices = (values: number): Buffer => Buffer.concat([Buffer.from([1]), run(values, 0)]);

/** A file of ten texts. */
const file =
  (lie: (draw: Draw, size: number) => Partial<RawFile> & { data?: Partial<RawPage>; words?: number }) =>
  (draw: Draw, folder: string): void => {
    const { data, words, ...more } = lie(draw, draw.pick(HUGE.filter((n) => n <= Number.MAX_SAFE_INTEGER)));
    const body = indices(10);
    const pages = [dictionary('a', words), page({ type: 0, values: 10, encoding: INDICES, body, ...data })];
    writeFileSync(join(folder, FILE), rawParquet({ pages, rows: 10, ...more }));
  };

const small = (size: number): number => Math.min(size, 2 ** 31 - 1);

export const parquetLies: Lies = {
  name: 'Parquet',
  readers: [
    (f) => readParquet(join(f, FILE)),
    (f) => readRows(join(f, FILE), { textColumn: 'text', labelColumn: 'text', onBadRow: 'skip' }),
  ],
  lies: {
    'rows of a row group': file((_draw, rows) => ({ rows })),
    'rows of the file': file((_draw, total) => ({ total })),
    'values of a page': file((_draw, size) => ({ data: { values: small(size) } })),
    'a run': file((_draw, size) => ({ data: { body: indices(small(size)) } })),
    'all of these': file((_draw, size) => ({
      rows: size,
      data: { values: small(size), body: indices(small(size)) },
    })),
    'the size of a page': file((draw, size) => ({ data: { plain: draw.pick([small(size), -1, 0]) } })),
    'the size of a dictionary': file((_draw, size) => ({ words: small(size) })),
    'the kind of a page': file((draw) => ({ data: { type: draw.pick([1, 2, 3, 9, -1]) } })),
    'the encoding of a page': file((draw) => ({
      data: { encoding: draw.pick([0, 1, 2, 3, 4, 5, 6, 7, 9, 99]) },
    })),
    'the compression': file((draw) => ({ codec: draw.pick([1, 2, 3, 4, 5, 6, 7, 99]) })),
    'a page that decompresses to more': file((draw, size) => ({ codec: GZIP, data: { body: gzipSync(Buffer.alloc(draw.pick([1e6, 3e7]))), plain: small(size) } })), // prettier-ignore
    'the offset of a column': file((draw, offset) => ({ offset: draw.pick([offset, -1, 0, 1]) })),
    'row groups that share bytes': file((draw) => ({ groups: draw.pick([2, 1000, 20_000]) })),
    'the name of a column': file((draw) => ({ path: draw.pick([[], ['x'], ['__proto__'], ['x'.repeat(100_000)], new Array<string>(5000).fill('a')]) })), // prettier-ignore
    nulls: file((_draw, size) => ({
      data: { type: 3, nulls: small(size), levels: [small(size), small(size)] },
    })),
    'the length of the footer': (draw, folder) => {
      file(() => ({}))(draw, folder);
      const bytes = rawParquet({ pages: [dictionary('a')], rows: 1 });
      bytes.writeUInt32LE(draw.pick([0, 1, bytes.length, 2 ** 31, 2 ** 32 - 1]), bytes.length - 8);
      writeFileSync(join(folder, FILE), bytes);
    },
  },
};
