import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { IndexCache } from '../../../src/data/stream/index-cache';
import { isLarge, openStreamed, type StreamOptions } from '../../../src/data/stream/open-streamed';
import { filesOf } from '../../../src/files/pattern';
import { labeledRows, readRows, type ReadOptions, type Row } from '../../../src/data/table/rows';
import { rowPlace } from '../../../src/protocol/row-place';
import { rejection, temporaryFolder } from './support';
import { quoted, writeParquet } from './table/duckdb';

const folder = temporaryFolder();
const options: ReadOptions = { textColumn: 'text', labelColumn: 'label', onBadRow: 'skip' };
const failing: ReadOptions = { ...options, onBadRow: 'fail' };

/** Files named "SET-0.ENDING" and so on, in a new folder. */
function write(ending: string, ...contents: (string | Uint8Array)[]): string {
  const own = mkdtempSync(join(folder.path, 'set-'));
  contents.forEach((content, i) => writeFileSync(join(own, `part-${i}.${ending}`), content));
  return join(own, `part-*.${ending}`);
}

let cache = '';
let measured = 0;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'aurora-index-'));
  measured = 0;
});
const streamed = (path: string, more: Partial<StreamOptions<Row>> = {}) =>
  openStreamed<Row>(path, {
    format: labeledRows,
    options,
    reads: {},
    measure: ({ text }) => ({ size: (measured++, text.length), ids: text }),
    cache: new IndexCache(cache),
    pieceSize: 32,
    ...more,
  });

/** Older than any two writes that could look like one. */
async function settle(pattern: string): Promise<void> {
  for (const file of filesOf(pattern)) utimesSync(file, 1, 1);
  await wait(100);
}

const csv = ['text,label\n"a\nb",x\nc,y\n', 'text,label\nd,x\n\n,y\ne,y\n', 'text,label\nf,x'];
const jsonl = [
  '{"text":"a","label":"x"}\n',
  '\n{"label":"y","text":"b","more":1}\nno\n{"text":"c","label":"x"}',
];

describe('several files', () => {
  it('are read as one, with the place of each row', async () => {
    const path = write('csv', ...csv);
    const { rows, skipped, parts } = await readRows(path, options);
    const place = (line: number) => basename(rowPlace(path, line, parts));
    expect(rows.map(({ text, label, line }) => [text, label, place(line)])).toEqual([
      ['a\nb', 'x', 'part-0.csv:2'],
      ['c', 'y', 'part-0.csv:4'],
      ['d', 'x', 'part-1.csv:2'],
      ['e', 'y', 'part-1.csv:5'],
      ['f', 'x', 'part-2.csv:2'],
    ]);
    expect(skipped.map(({ line }) => place(line))).toEqual(['part-1.csv:4']);
    expect(await rejection('data', readRows(path, failing))).toContain('part-1.csv:4: "text" is empty');
  });

  it.each([
    ['csv', csv],
    ['tsv', csv.map((text) => text.replaceAll(',', '\t'))],
    ['jsonl', jsonl],
  ])('of %s are the same rows in memory and on disk', async (ending, contents) => {
    const path = write(ending, ...contents);
    await settle(path);
    const memory = await readRows(path, options);
    expect(memory.parts).toHaveLength(contents.length);
    for (let i = 0; i < 2; i++) {
      const { rows, ...read } = await streamed(path);
      const { rows: expected, ...known } = memory;
      expect([...rows]).toEqual(expected);
      expect(read).toEqual(known);
    }
    expect(measured).toBe(memory.rows.length);
    expect(await rejection('data', streamed(path, { options: failing }))).toContain('part-1.');
  });

  it('of Parquet are the same rows in memory and on disk, and must name the same labels', async () => {
    const own = mkdtempSync(join(folder.path, 'set-'));
    const labels = (...names: string[]) =>
      `kv_metadata {huggingface: ${quoted(JSON.stringify({ info: { features: { label: { names, _type: 'ClassLabel' } } } }))}}`;
    const query = (from: number) =>
      `select 'text ' || i as text, i % 2 as label from range(${from}, ${from + 3}) t(i)`;
    const file = (n: number) => join(own, `train-0000${n}-of-00002.parquet`);
    await writeParquet(file(0), query(0), labels('ham', 'spam'));
    await writeParquet(file(1), query(3), labels('ham', 'spam'));
    const path = join(own, 'train-*.parquet');
    await settle(path);
    const { rows: expected, ...known } = await readRows(path, options);
    expect(expected.map(({ text, label, line }) => [text, label, line])).toEqual(
      [0, 1, 2, 3, 4, 5].map((i) => [`text ${i}`, i % 2 ? 'spam' : 'ham', i + 1]),
    );
    expect(rowPlace(path, 5, known.parts)).toBe(`${file(1)}, row 2`);
    for (let i = 0; i < 2; i++) {
      const { rows, ...read } = await streamed(path);
      expect([...rows]).toEqual(expected);
      expect(read).toEqual(known);
    }
    expect([measured, readdirSync(cache).length]).toEqual([6, 2]);
    await writeParquet(file(1), query(3), labels('spam', 'ham'));
    for (const read of [readRows(path, options), streamed(path)])
      expect(await rejection('labels', read)).toContain(`${file(1)} names other labels of "label"`);
    rmSync(file(1));
    expect(await rejection('data', readRows(path, options))).toContain('has no train-00001-of-00002.parquet');
  });

  it('may be compressed, or JSON arrays', async () => {
    const zipped = write('jsonl.gz', ...jsonl.map((text) => gzipSync(text)));
    expect((await readRows(zipped, options)).rows.map(({ text }) => text)).toEqual(['a', 'b', 'c']);
    const arrays = write('json', ...['a', 'b'].map((text) => JSON.stringify([{ text, label: 'x' }])));
    const { rows, parts } = await readRows(arrays, options);
    expect(rows.map(({ line }) => basename(rowPlace(arrays, line, parts)))).toEqual([
      'part-0.json, item 1',
      'part-1.json, item 1',
    ]);
  });

  it('that have other columns, or none of the wanted ones, are named', async () => {
    const other = write('csv', csv[0], 'text,label,more\na,x,1\n');
    const lacking = write('csv', csv[0], 'text,answer\na,x\n');
    const keys = write('jsonl', jsonl[0], '{"text":"b"}\n');
    for (const read of [readRows, (path: string) => streamed(path)]) {
      expect(await rejection('data', read(other, options))).toContain(
        'part-1.csv do not match those of part-0.csv: it also has "more".',
      );
      expect(await rejection('labels', read(lacking, options))).toContain('part-1.csv has no column "label"');
      expect(await rejection('labels', read(keys, options))).toContain('part-1.jsonl has no column "label"');
    }
    const unknown = write('csv', csv[0]).replace(/csv$/, '*');
    expect(await rejection('data', readRows(unknown, options))).toContain('End the pattern as the files end');
  });

  it('whose quotes are read in two ways are refused', async () => {
    const path = write('tsv', 'text\tlabel\n"a"\tx\n', 'text\tlabel\nb"c\tx\n');
    for (const read of [readRows(path, options), streamed(path)])
      expect(await rejection('data', read)).toContain('Set data.quoting to "csv" or "none"');
    expect((await readRows(path, { ...options, quoting: 'none' })).rows.map(({ text }) => text)).toEqual([
      '"a"',
      'b"c',
    ]);
  });

  it('are read back as they were indexed where the first has no quotes at all', async () => {
    const path = write('tsv', 'text\tlabel\na\tx\n', 'text\tlabel\n"Great film\tx\n"b" c\ty\n');
    const texts = (read: { rows: Iterable<{ text: string }> }) => [...read.rows].map(({ text }) => text);
    const expected = ['a', '"Great film', '"b" c'];
    expect(texts(await readRows(path, options))).toEqual(expected);
    // The first time it is indexed, and the second time from the cache.
    for (let n = 0; n < 2; n++) expect(texts(await streamed(path))).toEqual(expected);
  });

  it('are indexed again when one is added, removed or changed', async () => {
    const path = write('csv', ...csv);
    const texts = async () => {
      await settle(path);
      measured = 0;
      const { rows } = await streamed(path);
      const found = [...rows].map(({ text }) => text);
      expect(found).toEqual((await readRows(path, options)).rows.map(({ text }) => text));
      return [found.length, measured];
    };
    expect(await texts()).toEqual([5, 5]);
    expect(await texts()).toEqual([5, 0]);
    const file = (n: number) => path.replace('*', String(n));
    writeFileSync(file(3), 'text,label\ng,x\n');
    expect(await texts()).toEqual([6, 6]);
    rmSync(file(1));
    expect(await texts()).toEqual([4, 4]);
    writeFileSync(file(3), 'text,label\nh,x\n');
    expect(await texts()).toEqual([4, 4]);
  });

  it('notice a row that is written over while they are read', async () => {
    const path = write('csv', ...csv);
    const { rows } = await streamed(path);
    writeFileSync(path.replace('*', '1'), csv[1].replace('e,', 'E,'));
    expect(rows.at(2)).toMatchObject({ text: 'd' });
    expect(await rejection('inputs', (async () => rows.at(3))())).toContain(
      'part-1.csv:5: this row was changed',
    );
  });

  it('count together for how large they are', () => {
    const before = process.env.AURORA_TEST_LARGE_BYTES;
    process.env.AURORA_TEST_LARGE_BYTES = String(csv.join('').length);
    try {
      expect(isLarge(write('csv', ...csv))).toBe(true);
      expect(isLarge(write('csv', ...csv.slice(1)))).toBe(false);
    } finally {
      if (before === undefined) delete process.env.AURORA_TEST_LARGE_BYTES;
      else process.env.AURORA_TEST_LARGE_BYTES = before;
    }
  });
});
