import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { askForRow } from '../../../src/extension/data-worker/ask-data-worker';
import { opensWell, readDataRow } from '../../../src/extension/data-worker/data-row';
import { temporaryFolders } from '../runs/folder';

const folder = temporaryFolders();
const written = (name: string, content: string | Uint8Array) => {
  const file = join(folder(), name);
  writeFileSync(file, content);
  return file;
};

describe('one row of a data file', () => {
  const jsonl = '{"text":"one","label":"a"}\n\n{"text":"three","label":"b"}\n';

  it('is formatted, from plain and compressed JSONL', async () => {
    for (const file of [written('d.jsonl', jsonl), written('d.jsonl.gz', gzipSync(jsonl))])
      expect(JSON.parse(await readDataRow(file, 3))).toEqual({ text: 'three', label: 'b' });
  });

  it('includes the header and the line breaks of a quoted CSV field', async () => {
    const file = written('d.csv', '\ufefftext,label\n"a\nb ""c""",x\nnext,y\n');
    expect(await readDataRow(file, 2)).toBe('text,label\n"a\nb ""c""",x');
    expect(await readDataRow(file, 4)).toBe('text,label\nnext,y');
  });

  it('of a TSV file is its line if that has all columns, whatever quotes are in it', async () => {
    const file = written('d.tsv', 'id\ttext\tlabel\n1\t"a\tx\n2\tb\tx\n3\t"c\nd"\ty\n4\te"\ty\n');
    expect(await readDataRow(file, 2)).toBe('id\ttext\tlabel\n1\t"a\tx');
    expect(await readDataRow(file, 4)).toBe('id\ttext\tlabel\n3\t"c\nd"\ty');
    expect(await readDataRow(file, 6)).toBe('id\ttext\tlabel\n4\te"\ty');
    expect(await readDataRow(written('bare.tsv', '1\t"a\n2\tb\n'), 1)).toBe('1\t"a');
  });

  it('gives an error for a missing file, a missing line or a truncated gzip file', async () => {
    await expect(readDataRow(join(folder(), 'none.jsonl'), 1)).rejects.toThrow(/none\.jsonl does not exist/);
    await expect(readDataRow(join(folder(), 'none.csv.gz'), 1)).rejects.toThrow(
      /none\.csv\.gz does not exist/,
    );
    await expect(readDataRow(written('d.jsonl', jsonl), 9)).rejects.toThrow(/has no line 9/);
    await expect(readDataRow(written('bad.jsonl.gz', 'not gzip'), 1)).rejects.toThrow(/cannot be read/);
  });

  it('is found without reading beyond it', async () => {
    const half = gzipSync('{"text":"one"}\n'.repeat(200_000)).subarray(0, 2000);
    expect(JSON.parse(await readDataRow(written('half.jsonl.gz', half), 5))).toEqual({ text: 'one' });
  });

  it('is shown separately only if the file does not open well in the editor', async () => {
    expect(await opensWell(written('d.jsonl', jsonl))).toBe(true);
    expect(await opensWell(written('d.jsonl.gz', gzipSync(jsonl)))).toBe(false);
  });

  it('of 16 MB on one line is rejected after its first megabyte', async () => {
    const long = `{"text":"one"}\n{"text":"${'x'.repeat(16 * 2 ** 20)}"}\n`;
    const cut = gzipSync(long);
    // Damaged, so that reading to the end of the line would fail.
    cut.fill(0, cut.length >> 1);
    for (const file of [written('d.jsonl.gz', gzipSync(long)), written('cut.jsonl.gz', cut)])
      await expect(readDataRow(file, 2)).rejects.toMatchObject({
        message: `Line 2 of ${file} is longer than 1,048,576 bytes and is not shown.`,
        hint: 'Read it in a terminal, for example with `zcat FILE | sed -n 2p`.',
      });
  });

  it('with many lines, or too far into the file, is also rejected', async () => {
    const quoted = written('d.csv', `text,label\n"${'a\n'.repeat(100)}",x\n`);
    await expect(readDataRow(quoted, 2, { row: 50, text: 1e6 })).rejects.toThrow(/is longer than 50 bytes/);
    const far = written('far.jsonl.gz', gzipSync('{"text":"one"}\n'.repeat(100_000)));
    await expect(readDataRow(far, 99_999, { row: 50, text: 1e5 })).rejects.toThrow(
      /not within the first 100,000 bytes/,
    );
    // Long lines before the row are skipped.
    const after = written('after.jsonl', `{"text":"${'x'.repeat(200)}"}\n{"text":"b"}\n`);
    expect(JSON.parse(await readDataRow(after, 2, { row: 50, text: 1e6 }))).toEqual({ text: 'b' });
  });

  it('is read in another process, with the same errors', async () => {
    const outfile = join(folder(), 'data-worker.cjs');
    await build({ entryPoints: [WORKER], outfile, bundle: true, platform: 'node', format: 'cjs' });
    const reader = { program: outfile };
    const file = written('d.jsonl', jsonl);
    expect(JSON.parse(await askForRow({ file, line: 3 }, reader))).toEqual({ text: 'three', label: 'b' });
    const array = written('d.json', '[{"text":"one"},\n {"text":"two"}]');
    expect(await opensWell(array)).toBe(false);
    expect(await askForRow({ file: array, line: 2 }, reader)).toBe('{\n  "text": "two"\n}');
    await expect(askForRow({ file: array, line: 3 }, reader)).rejects.toThrow('has no item 3.');
    await expect(askForRow({ file, line: 9 }, reader)).rejects.toMatchObject({
      kind: 'data',
      message: `${file} has no line 9.`,
      hint: 'The file was shortened after the run was made. Restore the original file to see this row.',
    });
  });
});

const WORKER = 'src/extension/data-worker/worker.ts';
