import { mkdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRows, type ReadOptions } from '../../../../src/data/table/rows';
import type { ErrorKind } from '../../../../src/base/errors';
import { rejection, temporaryFolder } from '../support';

const folder = temporaryFolder();
const options: ReadOptions = { textColumn: 'text', labelColumn: 'label', onBadRow: 'fail' };
const skipping: ReadOptions = { ...options, onBadRow: 'skip' };

describe('rows that cannot be used', () => {
  const error = (bad: number) =>
    rejection(
      'data',
      readRows(folder.write('bad.csv', `text,label\na,x\n${' ,x\n'.repeat(bad - 1)}b,\n`), options),
    );

  it('are all named, each with its place, if they are few', async () => {
    expect(await error(1)).toContain(
      'bad.csv:3: "label" is empty. | Correct the row, or set data.onBadRow to "skip"',
    );
    const text = await error(3);
    expect(text).toMatch(/bad\.csv:3: "text" is empty\.\n.*bad\.csv:4: "text" is empty\.\n/);
    expect(text).toContain('bad.csv:5: "label" is empty. | Correct the rows');
  });

  it('of another encoding need another next step', async () => {
    const path = folder.write('latin1.csv', Buffer.from('text,label\ncaf\xe9,x\nplain,y\n', 'latin1'));
    expect(await rejection('data', readRows(path, options))).toMatch(
      /latin1\.csv:2: not valid UTF-8\. \| Save the file as UTF-8: /,
    );
  });

  it('are named five at a time, with the number of the others', async () => {
    expect(await error(6)).toMatch(/bad\.csv:7: "text" is empty\.\n1 more row cannot be used\. \| Correct/);
    const text = await error(42);
    expect(text).toContain('\n37 more rows cannot be used.');
    expect(text).not.toContain('bad.csv:8');
  });
});

describe('readRows', () => {
  it("reads RFC 4180 CSV with quotes, BOM, CRLF and line breaks inside fields, and gives the file's line numbers", async () => {
    const path = folder.write(
      'rfc.csv',
      '\ufefflabel,text,extra\r\na,plain,1\r\n\r\nb,"two\r\nlines, ""quoted""",2\r\nc,after,3\r\nd,"x\ny\nz",4\r\ne,last,5',
    );
    expect(await readRows(path, options)).toEqual({
      rows: [
        { text: 'plain', label: 'a', line: 2 },
        { text: 'two\r\nlines, "quoted"', label: 'b', line: 4 },
        { text: 'after', label: 'c', line: 6 },
        { text: 'x\ny\nz', label: 'd', line: 7 },
        { text: 'last', label: 'e', line: 10 },
      ],
      skipped: [],
    });
  });

  it('accepts mixed line endings in one file', async () => {
    const path = folder.write('mixed.csv', 'text,label\na,x\r\nb,y\rc,z\n');
    expect((await readRows(path, options)).rows).toEqual([
      { text: 'a', label: 'x', line: 2 },
      { text: 'b', label: 'y', line: 3 },
      { text: 'c', label: 'z', line: 4 },
    ]);
  });

  it('reads TSV and treats a quote inside a field literally', async () => {
    const path = folder.write('a.tsv', 'text\tlabel\n5" disk, new\t1\nb\t2\n');
    expect((await readRows(path, options)).rows).toEqual([
      { text: '5" disk, new', label: '1', line: 2 },
      { text: 'b', label: '2', line: 3 },
    ]);
  });

  it('reads JSONL and converts numbers and booleans to strings', async () => {
    const path = folder.write(
      'a.jsonl',
      '{"text":"a","label":1}\r\n\n{"label":true,"text":2.5,"more":[]}\n{"text":"é\\n","label":"x"}',
    );
    expect((await readRows(path, options)).rows).toEqual([
      { text: 'a', label: '1', line: 1 },
      { text: '2.5', label: 'true', line: 3 },
      { text: 'é\n', label: 'x', line: 4 },
    ]);
  });

  it.each(['a.csv.gz', 'a.tsv.gz', 'a.jsonl.gz'])('reads %s', async (name) => {
    const content = {
      'a.csv.gz': 'text,label\nt,l\n',
      'a.tsv.gz': 'text\tlabel\nt\tl\n',
      'a.jsonl.gz': '{"text":"t","label":"l"}\n',
    }[name]!;
    const { rows } = await readRows(folder.write(name, gzipSync(content)), options);
    expect(rows.map(({ text, label }) => [text, label])).toEqual([['t', 'l']]);
  });

  it('returns the rows that were written, in order, with their line numbers', async () => {
    const cell = fc
      .string({ unit: fc.constantFrom('a', 'é', '😀', ' ', '"', ',', '\t', '\n', '\r\n'), minLength: 1 })
      .filter((s) => s.trim() !== '');
    const quoted = (s: string): string => `"${s.replaceAll('"', '""')}"`;
    const file = fc.record({
      cells: fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 8 }),
      eol: fc.constantFrom('\n', '\r\n'),
      format: fc.constantFrom('csv' as const, 'tsv' as const, 'jsonl' as const),
    });
    await fc.assert(
      fc.asyncProperty(file, async ({ cells, eol, format }) => {
        const separator = format === 'csv' ? ',' : '\t';
        const lines =
          format === 'jsonl'
            ? cells.map(([text, label]) => JSON.stringify({ text, label }))
            : [['text', 'label'], ...cells].map((row) => row.map((c) => quoted(c!)).join(separator));
        const { rows, skipped } = await readRows(folder.write(`p.${format}`, lines.join(eol)), options);
        expect(skipped).toEqual([]);
        expect(rows.map((r) => [r.text, r.label])).toEqual(cells);
        const heights = lines.map((l) => l.split('\n').length);
        const starts = heights.map((_, i) => 1 + heights.slice(0, i).reduce((a, b) => a + b, 0));
        expect(rows.map((r) => r.line)).toEqual(format === 'jsonl' ? starts : starts.slice(1));
      }),
      { seed: 1 },
    );
  });
});

describe('bad rows', () => {
  const invalid = Buffer.from([0x61, 0xff, 0x62]);
  const jsonl = Buffer.concat([
    Buffer.from('{"text":"ok","label":"x"}\n{"text":\n[1]\n{"text":"t"}\n{"label":"x"}\n'),
    Buffer.from('{"text":"  ","label":"x"}\n{"text":{},"label":"x"}\n{"text":"t","label":null}\n{"text":"'),
    invalid,
    Buffer.from('","label":"x"}\n{"text":"ok","label":"y"}\n'),
  ]);
  const csv = Buffer.concat([
    Buffer.from('text,label\nok,x\none\na,b,c\n,x\nt,\n'),
    invalid,
    Buffer.from(',x\n"a\nb",c,d\nok,y\n'),
  ]);

  it.each([
    [
      'jsonl',
      jsonl,
      [
        [2, 'not valid JSON ('],
        [3, 'not a JSON object'],
        [4, 'no "label"'],
        [5, 'no "text"'],
        [6, '"text" is empty'],
        [7, '"text" is an object, not a string, number or boolean'],
        [8, 'no "label"'],
        [9, 'not valid UTF-8'],
      ],
    ],
    [
      'csv',
      csv,
      [
        [3, '1 columns where the header has 2'],
        [4, '3 columns where the header has 2'],
        [5, '"text" is empty'],
        [6, '"label" is empty'],
        [7, 'not valid UTF-8'],
        [8, '3 columns where the header has 2 (it reaches to line 9: is a quote left open?)'],
      ],
    ],
  ] as const)(
    'are either collected or, by default, reported with their place: %s',
    async (format, bytes, expected) => {
      const path = folder.write(`bad.${format}`, bytes);
      const { rows, skipped } = await readRows(path, skipping);
      expect(rows.map((r) => r.label)).toEqual(['x', 'y']);
      expect(skipped).toEqual(
        expected.map(([line, reason]) => ({ line, reason: expect.stringContaining(reason) })),
      );
      expect(await rejection('data', readRows(path, options))).toContain(
        `${path}:${expected[0][0]}: ${expected[0][1]}`,
      );
    },
  );
});

describe('a very wide table', () => {
  const columns = 1_000_000;
  const wide = (cell: (i: number) => string) => Array.from({ length: columns }, (_, i) => cell(i)).join(',');
  const header = wide((i) => (i === columns - 2 ? 'text' : i === columns - 1 ? 'label' : `c${i}`));

  it('is read in time proportional to its size', async () => {
    const path = folder.write(
      'wide.csv',
      `${header}
${wide((i) => (i === columns - 2 ? 'some text' : '1'))}
`,
    );
    expect(await readRows(path, options)).toEqual({
      rows: [{ text: 'some text', label: '1', line: 2 }],
      skipped: [],
    });
  });

  it('is checked for duplicate column names', async () => {
    const path = folder.write(
      'wide-twice.csv',
      `${header},c0
`,
    );
    expect(await rejection('data', readRows(path, options))).toContain('two columns are named "c0"');
  });

  it('gives a short error when the requested column is missing', async () => {
    const path = folder.write(
      'wide-other.csv',
      `${header}
`,
    );
    const text = await rejection('data', readRows(path, { ...options, textColumn: 'no such column' }));
    expect(text).toContain('has no column "no such column"; it has "c0", "c1", ');
    expect(text).toContain(` and ${columns - 50} more.`);
    expect(text.length).toBeLessThan(2000);
  });
});

describe('unusable files', () => {
  it.each<[string, string | Buffer, string, string, ErrorKind?]>([
    ['wrong.txt', 'x', 'the format of this file is not known', '.jsonl'],
    ['empty.csv', '', 'is empty', 'name another file', 'emptyData'],
    ['bom.csv', '\ufeff\n\n', 'has only blank lines', 'name another file', 'emptyData'],
    ['header.csv', 'text,label\n', 'has no rows', 'name another file', 'emptyData'],
    ['blank.jsonl', '\n \n', 'has no rows', 'name another file', 'emptyData'],
    ['utf16.csv', Buffer.from('\ufefftext,label\n', 'utf16le'), 'is UTF-16', 'UTF-8'],
    ['plain.csv.gz', 'text,label\na,b\n', 'is not a whole gzip file', 'drop .gz'],
    ['cut.csv.gz', gzipSync('text,label\na,b\n').subarray(0, 20), 'is not a whole gzip file', ''],
    ['open.csv', 'text,label\r\n"a\r\nb",x\r\n"c,x\r\nd,y\r\n', 'open.csv:4: a quote opened', 'double'],
    ['twice.csv', 'text,label,text\n', 'two columns are named "text"', ''],
    [
      'column.csv',
      'Text,labels\na,b\n',
      'has no column "text"; it has "Text", "labels"',
      'Did you mean "Text"?',
    ],
    [
      'column.jsonl',
      '{"text":"a","class":"b"}\n',
      'has no column "label"; it has "text", "class"',
      'data.labelColumn',
      'labels',
    ],
  ])('%s', async (name, content, message, hint, kind = 'data') => {
    const text = await rejection(kind, readRows(folder.write(name, content), options));
    expect(text).toContain(message);
    expect(text.slice(text.indexOf('|'))).toContain(hint);
  });

  it('rejects a missing file and a folder', async () => {
    expect(await rejection('data', readRows(`${folder.path}/none.csv`, options))).toContain(
      'none.csv does not exist',
    );
    mkdirSync(`${folder.path}/folder.csv`);
    expect(await rejection('data', readRows(`${folder.path}/folder.csv`, options))).toContain('is a folder');
  });

  it('rejects a file in which all rows were skipped', async () => {
    const path = folder.write('skipped.csv', 'text,label\n,a\nb,\n');
    expect(await rejection('emptyData', readRows(path, skipping))).toContain(
      'all 2 rows were skipped; the first, in line 2: "text" is empty',
    );
  });
});
