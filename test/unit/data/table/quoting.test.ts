import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRows, type ReadOptions } from '../../../../src/data/table/rows';
import { readDataHead } from '../../../../src/extension/language/data-head';
import { quotesOf } from '../../../../src/table/quoting';
import { rejection, temporaryFolder } from '../support';

const folder = temporaryFolder();
const options: ReadOptions = { textColumn: 'text', labelColumn: 'label', onBadRow: 'fail' };
const TSV = { delimiter: '\t' } as const;
const auto = (text: string, more: object = {}, whole?: boolean) =>
  quotesOf(Buffer.from(text), { ...TSV, ...more }, whole);

describe('the quotes of a TSV file', () => {
  it.each<[string, string, object?]>([
    ['a field without need', 'text\tlabel\n"a"\tx\n'],
    ['doubled quotes', 'text\tlabel\n"a ""b"" c"\tx\n""\ty\n"""a"\tx\n"b"""\tx\n""""\tx'],
    ['a tab', 'text\tlabel\n"a\tb"\tx\n'],
    ['line breaks', 'text\tlabel\r\n"a\r\n\nb"\tx\r\nc\t"\ny"\r\n'],
    ['line breaks in each row, without a header', '"a\nb"\tx\n\n"c\nd"\ty\n', { header: false }],
    ['names in the header, with whatever is below', '"text"\tlabel\na"\t"x\ty\n'],
    ['the last field of the file', 'text\tlabel\na\t"x"'],
    ['rows of another length, without a part in it', 'text\tlabel\n"a"\tx\tz\n"b"\n'],
  ])("are CSV's around %s", (_, text, more = {}) => expect(auto(text, more)).toBe('csv'));

  it.each<[string, string, object?]>([
    ['within a field', 'text\tlabel\na "b" c\tx\n'],
    ['before the end of a field', 'text\tlabel\na"\tx\n'],
    ['and a word follows the closing one', 'text\tlabel\n"a" b\tx\n'],
    ['and one is never closed', 'text\tlabel\n"a\tx\n'],
    ['and a lone one is a field', 'text\tlabel\n"\tx\n'],
    ['and they would swallow rows', 'text\tlabel\n"a\tx\nb\ty\nc"\tx\n'],
    ['and they would swallow the ends of rows', 'text\tlabel\nx\t"a\nb"\ty\n'],
    ['and they would swallow a column', 'text\tlabel\n"a\tb"\n'],
    ['and they would swallow rows without a header', '"a\tx\nb"\ty\nc\tx\n', { header: false }],
    ['and they would join two rows without a header', 'x\t"a\nb"\ty\nc\tx\n', { header: false }],
    ['and their rows differ', '"a\nb"\tx\n"c\nd"\ty\tz\n', { header: false }],
    ['within a name of the header', 'a "text"\tlabel\na "b\tx\n'],
  ])('are part of the texts if they stand %s', (_, text, more = {}) => expect(auto(text, more)).toBe('text'));

  it('are decided by data.quoting where it says so, and are always those of CSV in a CSV file', () => {
    const [quoted, stray] = ['text\tlabel\n"a"\tx\n', 'text\tlabel\na "b\tx\n'];
    expect([auto(quoted, { quoting: 'none' }), auto(stray, { quoting: 'csv' })]).toEqual(['text', 'csv']);
    const csv = (quoting?: 'auto' | 'none') =>
      quotesOf(Buffer.from('text,label\na "b,x\n'), { delimiter: ',', quoting });
    expect([csv(), csv('auto'), csv('none')]).toEqual(['csv', 'csv', 'text']);
    expect([auto('text\tlabel\na\tx\n'), auto('')]).toEqual([undefined, undefined]);
  });

  it('are decided by what is there of a file that is cut', () => {
    const text = 'text\tlabel\n"a"\tx\n"b\nc"\ty\n';
    for (let end = text.indexOf('"') + 1; end <= text.length; end++)
      expect(auto(text.slice(0, end), {}, false), text.slice(0, end)).toBe('csv');
    expect(auto('text\tlabel\n"a\tx\nb', {}, false)).toBe('text');
  });
});

describe('a TSV file', () => {
  const cell = fc.string({
    unit: fc.constantFrom('a', 'é', '"', '""', ' ', ','),
    minLength: 1,
    maxLength: 6,
  });
  const whole = (s: string) => s.trim() !== '' && !/^"\s*"$/.test(s);
  const written = (rows: readonly (readonly string[])[], eol: string) =>
    [['text', 'label'], ...rows].map((row) => row.join('\t')).join(eol);
  const eol = fc.constantFrom('\n', '\r\n');
  /** The texts that the editor shows, and those that are trained on. */
  async function both(path: string, reading: ReadOptions = options) {
    const head = (await readDataHead(path, reading))!;
    return { ...(await readRows(path, reading)), shown: head.columns.map((c) => c.values) };
  }

  it('that is not quoted has a row for each line, whatever quotes its texts have', async () => {
    const rows = fc.array(fc.tuple(cell.filter(whole), cell.filter(whole)), { minLength: 1, maxLength: 6 });
    /** Without the quotes around it, if a file that is not quoted looks as if it were. */
    const bare = (s: string) => s.replace(/^"(.*)"$/, '$1').replaceAll('""', '"');
    await fc.assert(
      fc.asyncProperty(rows, eol, async (cells, end) => {
        const path = folder.write('unquoted.tsv', written(cells, end));
        const read = await both(path, { ...options, onBadRow: 'skip' });
        const expected = read.quotes === 'csv' ? cells.map((row) => row.map(bare)) : cells;
        expect(read.rows.map((r) => [r.text, r.label])).toEqual(expected);
        expect(read.rows.map((r) => r.line)).toEqual(cells.map((_, i) => i + 2));
        expect(read.shown).toEqual([0, 1].map((c) => expected.map((row) => row[c])));
        const text = await both(path, { ...options, quoting: 'none' });
        expect(text.rows.map((r) => [r.text, r.label])).toEqual(cells);
        expect([text.quotes, text.shown]).toEqual([undefined, [0, 1].map((c) => cells.map((row) => row[c]))]);
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  it('that pandas wrote has the rows that were written', async () => {
    const text = fc
      .string({ unit: fc.constantFrom('a', '"', '\t', '\n', '\r\n', ' '), minLength: 1, maxLength: 6 })
      .filter((s) => s.trim() !== '' && !/\t[^]*[\r\n]|[\r\n][^]*\t/.test(s));
    const minimal = (s: string) => (/["\t\r\n]/.test(s) ? `"${s.replaceAll('"', '""')}"` : s);
    const rows = fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(rows, eol, async (cells, end) => {
        const quoted = cells.map((row) => row.map(minimal));
        const read = await both(folder.write('pandas.tsv', written(quoted, end)));
        expect(read.rows.map((r) => [r.text, r.label])).toEqual(cells);
        expect(read.shown).toEqual([0, 1].map((c) => cells.map((row) => row[c])));
        expect(read.quotes).toBe(written(quoted, end).includes('"') ? 'csv' : undefined);
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  it('with quotes as text says so where a row has another number of columns', async () => {
    const path = folder.write('bad.tsv', 'text\tlabel\nsay "a\tx\n"a\nb"\tx\n');
    expect(await rejection('data', readRows(path, options))).toContain(
      'bad.tsv:3: 1 columns where the header has 2 (its quotes are read as text: see data.quoting).',
    );
  });

  it('is read the same from a compressed file', async () => {
    const path = folder.write('z.tsv.gz', gzipSync('text\tlabel\n"a\tx\nb"\ty\n'));
    const { rows, quotes, shown } = await both(path);
    expect([rows.map((r) => r.text), quotes, shown[0]]).toEqual([['"a', 'b"'], 'text', ['"a', 'b"']]);
  });

  it('with an open quote that data.quoting calls CSV is an error with the way out', async () => {
    const path = folder.write('open.tsv', 'text\tlabel\na\tx\n"b\tx\n');
    expect(await rejection('data', readRows(path, { ...options, quoting: 'csv' }))).toContain(
      'open.tsv:3: a quote opened in this row is never closed. | Close the quote, or double each quote that belongs to the text ("") and quote the whole field. If no quote in the file encloses a field, set data.quoting to "none".',
    );
    expect(await readDataHead(path, { quoting: 'csv' })).toBeUndefined();
  });
});

describe('a file without a header', () => {
  const bare: ReadOptions = { textColumn: '2', labelColumn: '1', header: false, onBadRow: 'fail' };

  it.each([
    ['csv', '\n1,"a, b"\n2,c\n'],
    ['tsv', '1\ta, b\n2\tc\n'],
  ])('has numbers for columns: .%s', async (format, text) => {
    const path = folder.write(`bare.${format}`, text);
    const { rows } = await readRows(path, bare);
    expect(rows.map((r) => [r.label, r.text])).toEqual([
      ['1', 'a, b'],
      ['2', 'c'],
    ]);
    expect(rows[0].line).toBe(format === 'csv' ? 2 : 1);
    expect(await readDataHead(path, bare)).toEqual({
      columns: [
        { name: '1', values: ['1', '2'] },
        { name: '2', values: ['a, b', 'c'] },
      ],
      rows: 2,
      whole: true,
    });
  });

  it('may repeat values in its first row, and has as many columns as that', async () => {
    const path = folder.write('same.csv', 'a,a\nb\n');
    expect(await rejection('data', readRows(path, bare))).toContain(
      'same.csv:2: 1 columns where the first row has 2.',
    );
    expect(await rejection('data', readRows(path, { ...bare, textColumn: 'text' }))).toContain(
      'has no column "text"; it has "1", "2". | Set data.textColumn to one of them.',
    );
  });

  it('is suggested where the columns of the header do not fit', async () => {
    const path = folder.write('cola.tsv', 'ab01\t1\t\tThe cat slept.\n');
    expect(await rejection('data', readRows(path, options))).toContain(
      'Set data.textColumn to one of them, or data.header to false if this row is not a header.',
    );
    const twice = folder.write('twice.tsv', 'x\tx\n');
    expect(await rejection('data', readRows(twice, options))).toContain('or set data.header to false');
    const json = folder.write('no.jsonl', '{"a":1,"b":2}\n');
    expect(await rejection('data', readRows(json, options))).not.toContain('data.header');
  });
});
