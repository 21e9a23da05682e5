import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { askForHead, askForRow } from '../../../src/extension/data-worker/ask-data-worker';
import { opensWell } from '../../../src/extension/data-worker/data-row';
import { analyze } from '../../../src/extension/language/analysis';
import { guessColumns } from '../../../src/extension/language/guess-columns';
import { readDataHead } from '../../../src/extension/language/data-head';
import { suggestionsAt } from '../../../src/extension/language/suggestions';
import { quoted, writeParquet } from '../data/table/duckdb';
import { dictionary, GZIP, page, rawParquet, run } from '../data/table/raw-parquet';
import { temporaryFolders } from '../runs/folder';
import { ExperimentText } from '../../../src/runs/experiment/experiment-text';
import { checkWithTrials } from '../../../src/runs/experiment/load';

const folder = temporaryFolders();

async function worker(): Promise<{ program: string }> {
  const outfile = join(folder(), 'data-worker.cjs');
  await build({
    entryPoints: ['src/extension/data-worker/worker.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
  });
  return { program: outfile };
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

const analysisOf = (text: string, program: { program: string }) =>
  analyze(checkWithTrials(new ExperimentText(join(folder(), 'x.aurora.json'), text)), {
    model: { state: 'unnamed' },
    unusable: [],
    known: [],
    head: (path, options) => readDataHead(path, options, program),
  });

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
    const analysis = await analysisOf(text, program);
    const [missing] = analysis.findings.filter((f) => f.code === 'column-missing');
    expect(missing.message).toContain('has no column "txt" (data.textColumn); it has "text", "label"');
    const found = suggestionsAt(analysis, text.indexOf('"txt"') + 1, [])!;
    expect(found.suggestions.map((s) => s.value)).toEqual(['text', 'label', 'list', 'image']);
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

const put = (name: string, bytes: Buffer): string => {
  const file = join(folder(), name);
  writeFileSync(file, bytes);
  return file;
};
const indices = (values: number) =>
  page({ type: 0, values, encoding: 8, body: Buffer.concat([Buffer.from([1]), run(values, 0)]) });

describe('a Parquet file that training refuses is an error in the experiment', () => {
  const refused: [string, string, () => Buffer | Promise<Buffer>, string][] = [
    [
      'with 30 million rows in a kilobyte',
      'rows.parquet',
      () => rawParquet({ pages: [dictionary('a'), indices(3e7)], rows: 3e7, padding: 1000 }),
      'rows.parquet is not read: it has 30,000,000 rows in ',
    ],
    [
      'whose row groups state other rows than the file',
      'sum.parquet',
      () => rawParquet({ pages: [dictionary('a'), indices(10)], rows: 10, total: 3e7 }),
      'sum.parquet cannot be read: it is damaged',
    ],
    [
      'with a page of more values than its bytes explain',
      'page.parquet',
      () => rawParquet({ pages: [dictionary('a'), indices(5e6)], rows: 10 }),
      'page.parquet is not read: the column "text" of row group 1 has 5,000,000 values in ',
    ],
    [
      'that is cut off',
      'cut.parquet',
      async () => readFileSync(await written(query(10))).subarray(0, 200),
      'cut.parquet does not end as a Parquet file does: it is cut off. Copy or download it again.',
    ],
    ['that is not one', 'csv.parquet', () => Buffer.from('text,label\na,b\n'), 'csv.parquet is not a Parquet file.'], // prettier-ignore
  ];
  it.each(refused)('%s', async (_, name, bytes, message) => {
    const file = put(name, await bytes());
    const program = await worker();
    for (const data of [`"train": "${file}"`, `"evaluations": { "a": { "path": "${file}" } }`]) {
      const text = `{ "data": { ${data} } }`;
      const { findings } = await analysisOf(text, program);
      const [finding, ...others] = findings.filter((f) => f.code === 'data-unreadable');
      expect(others).toEqual([]);
      expect(finding).toMatchObject({ severity: 'error' });
      expect(finding.message.startsWith(message), finding.message).toBe(true);
      expect(text.slice(finding.offset, finding.offset + finding.length)).toBe(`"${file}"`);
    }
  });

  it('but not where the experiment names none of its damaged columns', async () => {
    const file = put('page.parquet', rawParquet({ pages: [dictionary('a'), indices(5e6)], rows: 10 }));
    const program = await worker();
    const text = `{ "data": { "train": "${file}", "textColumn": "other" } }`;
    const { findings } = await analysisOf(text, program);
    expect(findings.map((f) => f.code)).not.toContain('data-unreadable');
  });

  it('but not a second time where it is missing or empty', async () => {
    const program = await worker();
    for (const file of [put('empty.parquet', Buffer.alloc(0)), join(folder(), 'none.parquet')]) {
      const { findings } = await analysisOf(`{ "data": { "test": "${file}" } }`, program);
      expect(findings.filter(({ code }) => code.startsWith('data-') || code === 'file-missing')).toHaveLength(
        1,
      );
    }
  });
});

describe('a hostile data file in the editor', () => {
  it('of 30 million rows in a kilobyte is refused by name', async () => {
    const rows = 30_000_000;
    const file = put(
      'rows.parquet',
      rawParquet({ pages: [dictionary('a'), indices(rows)], rows, padding: 1000 }),
    );
    const program = await worker();
    await expect(askForRow({ file, line: 5 }, program)).rejects.toMatchObject({
      kind: 'data',
      message: expect.stringContaining(`${file} is not read: it has 30,000,000 rows`) as string,
    });
  });

  it('whose rows share a long text gives short values', async () => {
    const pages = [dictionary('x'.repeat(1e5)), indices(5000)];
    const file = put('long.parquet', rawParquet({ pages, rows: 5000 }));
    const head = (await askForHead(file, await worker()))!;
    expect(head.columns[0]!.values.map((v) => v.length)).toEqual(Array.from({ length: 1000 }, () => 1000));
  });

  it('that needs too much memory ends its reader, and the next file is read', async () => {
    const program = await worker();
    // Nearly 1 GiB of zeros, a thousandth of it stored: members of a gzip file may follow one another.
    const zeros = gzipSync(Buffer.alloc(2 ** 24));
    const body = Buffer.concat([...Array.from({ length: 60 }, () => zeros), gzipSync(randomBytes(1e5))]);
    const pages = [page({ type: 0, values: 1, body, plain: 60 * 2 ** 24 + 1e5 })];
    const buffers = put('buffers.parquet', rawParquet({ pages, rows: 1, codec: GZIP }));
    // With bytes that do not shrink: a file of 200 times its size is refused before.
    const filler = randomBytes(3e5).toString('base64');
    const objects = put('objects.json.gz', gzipSync(`[{"b":"${filler}","a":[${'[],'.repeat(1.5e7)}0]}]`));
    for (const file of [buffers, objects])
      await expect(askForRow({ file, line: 1 }, program)).rejects.toMatchObject({
        kind: 'memory',
        message: `Reading ${file} needs more than 1,024 MB of memory and was stopped.`,
      });
    expect(await askForHead(await written(query(3)), program)).toMatchObject({ rows: 3 });
  });

  it('that takes too long is given up', async () => {
    const file = put('slow.json.gz', gzipSync(`[${'{"a":1},'.repeat(3e6)}{"a":1}]`));
    await expect(askForRow({ file, line: 3e6 }, { ...(await worker()), timeout: 20 })).rejects.toMatchObject({
      kind: 'data',
      message: `Reading ${file} took longer than 0 s and was stopped.`,
    });
  });
});
