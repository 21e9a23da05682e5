import { mkdtempSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { IndexCache } from '../../../../src/data/stream/index-cache';
import { openStreamed } from '../../../../src/data/stream/open-streamed';
import { labeledRows, readRows, type ReadOptions, type Row } from '../../../../src/data/table/rows';
import { rejection, temporaryFolder } from '../support';
import { quoted, writeParquet } from '../table/duckdb';

const folder = temporaryFolder();
const options: ReadOptions = { textColumn: 'text', labelColumn: 'label', onBadRow: 'skip' };
const names = quoted(
  JSON.stringify({ info: { features: { label: { names: ['ham', 'spam'], _type: 'ClassLabel' } } } }),
);

it('the rows of a large Parquet file are copied once, and are those that are read into memory', async () => {
  const path = join(folder.path, 'large.parquet');
  // Row groups of 2048 rows, the smallest that the writer knows.
  const query = `select case when i % 7 = 3 then null else 'text ' || i || ' é"' end as text, case when i % 11 = 0 then -1 else i % 2 end as label, 'unused' as more from range(5000) t(i)`;
  await writeParquet(path, query, 'row_group_size 2048', `kv_metadata {huggingface: ${names}}`);
  utimesSync(path, 1, 1);
  await wait(100);
  const cacheFolder = mkdtempSync(join(tmpdir(), 'aurora-index-'));
  let measured = 0;
  const done: number[] = [];
  const open = (own: ReadOptions = options) =>
    openStreamed<Row>(path, {
      format: labeledRows,
      options: own,
      reads: {},
      measure: ({ text }) => ({ size: (measured++, text.length), ids: text }),
      watch: (progress) => done.push(progress.done / progress.of),
      cache: new IndexCache(cacheFolder),
    });
  const memory = await readRows(path, options);
  for (let i = 0; i < 2; i++) {
    const { rows, skipped, labelNames } = await open();
    expect([...rows]).toEqual(memory.rows);
    expect([skipped, labelNames]).toEqual([memory.skipped, ['ham', 'spam']]);
  }
  expect(measured).toBe(memory.rows.length);
  // A slow machine reports in between, too.
  const shares = done.map((share) => share.toFixed(2));
  expect(shares).toEqual([...shares].sort());
  expect(shares).toEqual(expect.arrayContaining(['0.00', '0.41', '0.82', '1.00']));
  const kinds = () =>
    readdirSync(cacheFolder)
      .map((name) => name.replace(/^.*\./, ''))
      .sort();
  expect(kinds()).toEqual(['jsonl', 'rows']);

  // A damaged copy is an error where it is read, and made again at the next start.
  const copyNow = () =>
    join(
      cacheFolder,
      readdirSync(cacheFolder).find((name) => name.endsWith('.jsonl'))!,
    );
  const { rows } = await open();
  writeFileSync(copyNow(), readFileSync(copyNow(), 'utf8').replace('text 1 ', 'next 1 '));
  expect(
    await rejection(
      'inputs',
      Promise.resolve().then(() => [...rows]),
    ),
  ).toContain('was damaged or changed');
  expect(kinds()).toEqual(['rows']);
  measured = 0;
  expect((await open()).rows.at(1)).toEqual(memory.rows[1]);
  expect([measured, kinds()]).toEqual([memory.rows.length, ['jsonl', 'rows']]);

  expect(await rejection('data', open({ ...options, onBadRow: 'fail' }))).toContain(
    'large.parquet, row 1: "label" is -1',
  );
  expect(await rejection('data', open({ ...options, textColumn: 'texts' }))).toContain(
    'has no column "texts"',
  );
});
