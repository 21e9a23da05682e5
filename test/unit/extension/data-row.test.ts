import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { opensWell, readDataRow } from '../../../src/extension/panels/rows/data-row';
import { temporaryFolders } from '../runs/folder';

const folder = temporaryFolders();
const written = (name: string, content: string | Uint8Array) => {
  const file = join(folder(), name);
  writeFileSync(file, content);
  return file;
};

describe('one row of a data file', () => {
  const jsonl = '{"text":"one","label":"a"}\n\n{"text":"three","label":"b"}\n';

  it('is laid out, of plain and compressed JSONL', async () => {
    for (const file of [written('d.jsonl', jsonl), written('d.jsonl.gz', gzipSync(jsonl))])
      expect(JSON.parse(await readDataRow(file, 3))).toEqual({ text: 'three', label: 'b' });
  });

  it('keeps the header and the line breaks of a quoted CSV field', async () => {
    const file = written('d.csv', '\ufefftext,label\n"a\nb ""c""",x\nnext,y\n');
    expect(await readDataRow(file, 2)).toBe('text,label\n"a\nb ""c""",x');
    expect(await readDataRow(file, 4)).toBe('text,label\nnext,y');
  });

  it('says what is missing: the file, the line, a whole gzip', async () => {
    await expect(readDataRow(join(folder(), 'none.jsonl'), 1)).rejects.toThrow(/none\.jsonl is not there/);
    await expect(readDataRow(join(folder(), 'none.csv.gz'), 1)).rejects.toThrow(/none\.csv\.gz is not there/);
    await expect(readDataRow(written('d.jsonl', jsonl), 9)).rejects.toThrow(/has no line 9/);
    await expect(readDataRow(written('bad.jsonl.gz', 'not gzip'), 1)).rejects.toThrow(/cannot be read/);
  });

  it('reads only as far as the row', async () => {
    const half = gzipSync('{"text":"one"}\n'.repeat(200_000)).subarray(0, 2000);
    expect(JSON.parse(await readDataRow(written('half.jsonl.gz', half), 5))).toEqual({ text: 'one' });
  });

  it('is shown by itself only where the file opens badly', async () => {
    expect(await opensWell(written('d.jsonl', jsonl))).toBe(true);
    expect(await opensWell(written('d.jsonl.gz', gzipSync(jsonl)))).toBe(false);
  });
});
