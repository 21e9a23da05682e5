import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { askForHead, askForRow } from '../../../src/extension/data-worker/ask';
import { opensWell } from '../../../src/extension/data-worker/data-row';
import { analyze } from '../../../src/extension/language/analysis';
import { guessColumns } from '../../../src/extension/language/guess/guess-columns';
import { readDataHead } from '../../../src/extension/language/data-head';
import { suggestionsAt } from '../../../src/extension/language/suggestions';
import { quoted, writeParquet } from '../data/table/duckdb';
import { temporaryFolders } from '../runs/folder';
import { t } from './language/lab';

const folder = temporaryFolders();

async function worker(): Promise<string> {
  const outfile = join(folder(), 'data-worker.cjs');
  await build({
    entryPoints: ['src/extension/data-worker/worker.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
  });
  return outfile;
}

const NAMES = { label: { names: ['ham', 'spam'], _type: 'ClassLabel' } };
const metadata = `kv_metadata {huggingface: ${quoted(JSON.stringify({ info: { features: NAMES } }))}}`;

async function written(rows: string): Promise<string> {
  const file = join(folder(), 'data.parquet');
  await writeParquet(file, rows, metadata, 'row_group_size 2048');
  return file;
}

const query = (rows: number) => `select 'text ' || i as text, i % 2 as label, [i] as list,
  {'bytes': 'abc'::blob, 'path': 'p'} as image from range(${rows}) t(i)`;

describe('a Parquet file in the editor', () => {
  it('has the columns and first values that the trainer reads', async () => {
    const head = (await readDataHead(await written(query(5000)), {}, await worker()))!;
    expect(head).toMatchObject({ rows: 1000, whole: false });
    expect(head.columns.map((c) => [c.name, c.values.length, c.values[1]])).toEqual([
      ['text', 1000, 'text 1'],
      ['label', 1000, 'spam'],
      ['list', 1000, '1'],
      ['image', 0, undefined],
    ]);
    expect(guessColumns(head)).toEqual({ text: 'text', label: 'label' });
    expect(await askForHead(await written(query(3)), await worker())).toMatchObject({ rows: 3, whole: true });
  });

  it('has its columns completed and checked in an experiment', async () => {
    const file = await written(query(10));
    const program = await worker();
    const text = `{ "data": { "train": "${file}", "textColumn": "txt" } }`;
    const analysis = await analyze(join(folder(), 'x.aurora.json'), text, {
      model: { state: 'unnamed' },
      unusable: [],
      known: [],
      head: (path, options) => readDataHead(path, options, program),
      t,
    });
    const [missing] = analysis.findings.filter((f) => f.code === 'column-missing');
    expect(missing.message).toContain('has no column "txt" (data.textColumn); it has "text", "label"');
    const found = suggestionsAt(analysis, text.indexOf('"txt"') + 1, [], t)!;
    expect(found.suggestions.map((s) => s.value)).toEqual(['text', 'label', 'list', 'image']);
  });

  it('is nothing to report if it cannot be read: the trainer says why', async () => {
    const file = await written(query(10));
    const program = await worker();
    writeFileSync(file, readFileSync(file).subarray(0, 200));
    expect(await askForHead(file, program)).toBeUndefined();
    expect(await askForHead(join(folder(), 'none.parquet'), program)).toBeUndefined();
  });

  it('shows single rows, with the size of bytes', async () => {
    const file = await written(query(5000));
    const program = await worker();
    expect(await opensWell(file)).toBe(false);
    expect(JSON.parse(await askForRow({ file, line: 4002 }, program))).toEqual({
      text: 'text 4001',
      label: 'spam',
      list: [4001],
      image: { bytes: '3 bytes', path: 'p' },
    });
    await expect(askForRow({ file, line: 5001 }, program)).rejects.toMatchObject({
      kind: 'data',
      message: `${file} has no row 5001.`,
    });
    const long = await written(`select repeat('x', 2000000) as text, 0 as label`);
    await expect(askForRow({ file: long, line: 1 }, program)).rejects.toThrow(
      /row 1 is longer than 1,048,576 characters/,
    );
  });
});
