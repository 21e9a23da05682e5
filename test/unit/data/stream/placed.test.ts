import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRows, type ReadOptions } from '../../../../src/data/table/rows';
import { canBePlaced, openPlaced, type PlacedOptions } from '../../../../src/table/placed';
import type { DataRecord } from '../../../../src/table/records';
import { rejection, temporaryFolder } from '../support';

const folder = temporaryFolder();
const COLUMNS = { textColumn: 'text', labelColumn: 'label', onBadRow: 'skip' } as const satisfies ReadOptions;

const valuesOf = (record: DataRecord, columns: readonly string[]) =>
  'problem' in record ? record.problem : columns.map((name) => record.fields.get(name));

/** Every record as it is read in pieces of this size, and as it is read again from its place in the file. */
async function twice(path: string, options: PlacedOptions, pieceSize: number) {
  const table = openPlaced(path, options, undefined, pieceSize);
  const placed: { record: DataRecord; start: number; bytes: Buffer }[] = [];
  for await (const records of table.pieces())
    for (const { record, start, bytes } of records) placed.push({ record, start, bytes: Buffer.from(bytes) });
  const columns = table.columns();
  const read = table.reader(columns);
  const file = readFileSync(path);
  return placed.map(({ record, start, bytes }) => {
    expect(file.subarray(start, start + bytes.length)).toEqual(bytes);
    const again = read(bytes, record.line);
    expect(again.line).toBe(record.line);
    expect(valuesOf(again, columns)).toEqual(valuesOf(record, columns));
    return { line: record.line, values: valuesOf(record, columns) };
  });
}

/** The rows as they are read at once. */
async function atOnce(path: string, options: PlacedOptions) {
  const { rows, skipped } = await readRows(path, { ...COLUMNS, ...options });
  const usable = rows.map(({ line, text, label }) => ({ line, values: [text, label] as unknown }));
  const bad = skipped.map(({ line, reason }) => ({ line, values: reason }));
  return [...usable, ...bad].sort((a, b) => a.line - b.line);
}

const FILES: [name: string, content: string, options?: PlacedOptions][] = [
  ['plain.csv', 'text,label\none,a\ntwo,b\nthree,a'],
  ['quoted.csv', 'text,label\r\n"one\r\nwith, a break",a\r\n\r\n"say ""hi""",b\r\nlast,a\r\n'],
  ['old-mac.csv', '\n\ntext,label\rone,a\r\r"two\rlines",b\r'],
  ['widths.csv', 'text,label\none,a\nonly\ntwo,b,c\n"ä € 😀",b\n'],
  ['quoted.tsv', '"text"\tlabel\n"one\ttab"\ta\n"two\nlines"\tb\n'],
  ['stray.tsv', 'text\tlabel\n5" disk\ta\nsay "hi"\tb\n"\tc\n'],
  ['decided.tsv', 'text\tlabel\n"one\ntwo"\ta\n"three"\tb\n'],
  ['none.csv', 'text,label\n"one,a\ntwo",b\n', { quoting: 'none' }],
  [
    'mark.jsonl',
    '\uFEFF{"text":"one","label":"a"}\r\n\r\n  {"text":"zwei ä €","label":"b"}  \n[1]\n{"text":',
  ],
  ['cut.jsonl', '\n\n{"text":"one","label":"a"}\n{"label":"b","text":"😀"}'],
];

describe('a file that is read piece by piece', () => {
  it.each(FILES)(
    '%s has the rows that it has when it is read at once',
    async (name, content, options = {}) => {
      const path = folder.write(name, content);
      expect(canBePlaced(path)).toBe(true);
      const expected = await atOnce(path, options);
      for (const size of [1, 2, 3, 7, 16, 1 << 20])
        expect(await twice(path, options, size)).toEqual(expected);
    },
  );

  it('may have any texts', async () => {
    const cell = fc.string({
      unit: fc.constantFrom('a', 'ä', '"', ',', '\n', '\r', '\t', '😀'),
      maxLength: 6,
    });
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    const rows = fc.array(fc.tuple(cell, cell, fc.boolean()), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 1, max: 40 }), async (cells, size) => {
        const lines = cells.map(([text, label, quotes]) =>
          quotes
            ? `x${text.replace(/["\r\n,\t]/g, '')},${label.replace(/["\r\n,]/g, '')}l`
            : `${quoted(`x${text}`)},${quoted(`${label}l`)}`,
        );
        const path = folder.write('any.csv', `text,label\n${lines.join('\n')}`);
        expect(await twice(path, {}, size)).toEqual(await atOnce(path, {}));
      }),
      { seed: 1, numRuns: 150 },
    );
  });

  it('is an error if it is no text, has no row, or a quote stays open', async () => {
    const read = (path: string) => twice(path, {}, 8);
    expect(await rejection('emptyData', read(folder.write('empty.csv', '')))).toContain('is empty');
    expect(await rejection('emptyData', read(folder.write('blank.csv', '\n\n\n')))).toContain(
      'only blank lines',
    );
    const wide = Buffer.from('\uFEFFtext,label', 'utf16le');
    expect(await rejection('data', read(folder.write('wide.csv', wide)))).toContain('is UTF-16');
    const open = folder.write('open.csv', 'text,label\none,a\n"two,b\nthree,c\n');
    expect(await rejection('data', read(open))).toContain(
      'open.csv:3: a quote opened in this row is never closed',
    );
    const twin = folder.write('twin.csv', 'a,a\n1,2\n');
    expect(await rejection('data', read(twin))).toContain('two columns are named "a"');
  });

  it('is none that is compressed or of another format', () => {
    for (const name of ['a.csv.gz', 'a.jsonl.GZ', 'a.json', 'a.parquet', 'a.conll'])
      expect(canBePlaced(name)).toBe(false);
  });
});
