import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { guessColumns, guessValidation, guessTests } from '../../../../src/extension/language/guess-columns';
import { readDataHead, HeadCache } from '../../../../src/extension/language/data-head';
import type { DataHead } from '../../../../src/table/head';
import { makeFolder } from './lab';

const head = (name: string, content: string | Uint8Array) =>
  readDataHead(join(makeFolder({ [name]: content }), name));
const names = (h: DataHead | undefined) => h?.columns.map((c) => c.name);
const many = (line: (i: number) => string, count = 20_000) =>
  Array.from({ length: count }, (_, i) => line(i));
/** Random enough to be hard to compress. */
const word = (i: number) => Math.imul(i + 1, 2654435761).toString(36);

describe('the start of a data file', () => {
  it('is read from CSV with quotes, line breaks and a byte order mark', async () => {
    const found = await head('a.csv', '\uFEFFtext,label\n"a, ""b""\nc",x\n\nd,\n');
    expect(found).toEqual({
      columns: [
        { name: 'text', values: ['a, "b"\nc', 'd'] },
        { name: 'label', values: ['x'] },
      ],
      rows: 2,
      whole: true,
    });
  });

  it('is read from TSV and JSON Lines, with the items of lists and without objects', async () => {
    expect(names(await head('a.TSV', 'text\tlabel\na\tb\n'))).toEqual(['text', 'label']);
    const found = await head(
      'a.jsonl',
      '{"text":"a","n":1,"list":[2,"b",{}],"o":{}}\nno json\n{"text":"b","late":true}\n',
    );
    expect(found).toEqual({
      columns: [
        { name: 'text', values: ['a', 'b'] },
        { name: 'n', values: ['1'] },
        { name: 'list', values: ['2', 'b'], lists: true },
        { name: 'o', values: [] },
        { name: 'late', values: ['true'] },
      ],
      rows: 2,
      whole: true,
    });
  });

  it.each(['csv', 'jsonl', 'csv.gz', 'jsonl.gz'])(
    'contains only whole rows of a large %s',
    async (ending) => {
      const line = (i: number) =>
        ending.startsWith('csv') ? `"${word(i)}",${i % 3}` : JSON.stringify({ text: word(i), label: i % 3 });
      const lines = [...(ending.startsWith('csv') ? ['text,label'] : []), ...many(line)].join('\n');
      const found = await head(`big.${ending}`, ending.endsWith('gz') ? gzipSync(lines) : lines);
      expect(found).toMatchObject({ rows: 1000, whole: false });
      expect(found!.columns[0].values).toEqual(many(word, 1000));
      expect(new Set(found!.columns[1].values)).toEqual(new Set(['0', '1', '2']));
    },
  );

  it('is no larger than its rows, however many columns the header has', async () => {
    // As many cells as the bytes allow; columns times rows would be 500 times as many.
    const content = `${'\t'.repeat(120_000)}\n${many(() => 'x', 2000).join('\n')}`;
    const found = await head('wide.tsv.gz', gzipSync(content));
    expect(found!.columns).toHaveLength(120_001);
    expect(found!.columns[0].values).toHaveLength(1000);
    expect(found!.columns.slice(1).every((c) => c.values.length === 0)).toBe(true);
  });

  it('ends before a row that is cut off', async () => {
    const long = 'x'.repeat(40_000);
    const found = await head('long.csv', `text,label\n"${long}",a\n"${long}",b\n`);
    expect(found).toMatchObject({ rows: 1, whole: false });
    expect(found!.columns[1].values).toEqual(['a']);
  });

  it('is read from CoNLL files, word by word', async () => {
    const text = '-DOCSTART- -X- O\n\nEU NNP B-ORG\nrejects VBZ O\n\nbad\n\nPeter NNP B-PER\n';
    for (const name of ['a.conll', 'a.IOB', 'a.iob2', 'a.bio', 'a.conll.gz'])
      expect(await head(name, name.endsWith('gz') ? gzipSync(text) : text), name).toEqual({
        columns: [
          { name: 'tokens', values: ['EU', 'rejects', 'Peter'], lists: true },
          { name: '2', values: ['NNP', 'VBZ', 'NNP'], lists: true },
          { name: 'tags', values: ['B-ORG', 'O', 'B-PER'], lists: true },
        ],
        rows: 2,
        whole: true,
      });
    expect(await head('none.conll', '-DOCSTART- O\n')).toBeUndefined();
    // Cut within a character of a sentence's second word.
    const long = `${'x'.repeat(30_000)} O\n`;
    const cut = await head('long.conll', `first O\n\n${long}${'é'.repeat(30_000)} O\n`);
    expect(cut).toMatchObject({ rows: 1, whole: false, columns: [{ values: ['first'] }, { values: ['O'] }] });
    const many = await head('many.conll', 'a O\n\n'.repeat(2000));
    expect(many).toMatchObject({ rows: 1000, whole: false });
  });

  it('is read from JSON arrays, as far as their objects are whole', async () => {
    const text = '[{"text":"a ]","label":1}, 3,\n{"text":"b","label":{"x":[]}}]';
    const columns = [
      { name: 'text', values: ['a ]', 'b'] },
      { name: 'label', values: ['1'] },
    ];
    expect(await head('a.json', text)).toEqual({ columns, rows: 2, whole: true });
    expect(await head('a.json.gz', gzipSync(text))).toEqual({ columns, rows: 2, whole: true });
    const big = many((i) => JSON.stringify({ text: word(i) }), 2000).join(', ');
    expect(await head('big.json', `[${big}]`)).toMatchObject({ rows: 1000, whole: false });
    const long = JSON.stringify({ text: 'x'.repeat(40_000) });
    expect(await head('long.json', `[${long}, ${long}]`)).toMatchObject({ rows: 1, whole: false });
    for (const wrong of ['{"text":"a"}', '[{"text":"a"}', '[]', '3', ''])
      expect(await head('no.json', wrong)).toBeUndefined();
  });

  it('is undefined for an unreadable file, and a missing file is an error', async () => {
    expect(await head('a.txt', 'text,label\na,b\n')).toBeUndefined();
    expect(await head('a.jsonl', 'nothing\n')).toBeUndefined();
    expect(await head('a.csv.gz', 'not gzip')).toBeUndefined();
    expect(await head('empty.csv', '')).toBeUndefined();
    await expect(readDataHead('/no/such.csv')).rejects.toThrow('ENOENT');
  });

  it('is read again after the file changes', async () => {
    const path = join(makeFolder({ 'a.csv': 'text,label\na,b\n' }), 'a.csv');
    const cache = new HeadCache();
    const first = await cache.read(path);
    expect(await cache.read(path)).toBe(first);
    appendFileSync(path, 'c,d\n');
    expect((await cache.read(path))!.rows).toBe(2);
    const bare = (await cache.read(path, { header: false }))!;
    expect([names(bare), bare.rows]).toEqual([['1', '2'], 3]);
  });
});

describe('guessing the columns', () => {
  const guess = async (csv: string) => guessColumns((await head('a.csv', csv))!);

  it('uses common names', async () => {
    expect(await guess('id,Sentence,Label\n1,a b c d,x\n2,e f g h,y\n')).toEqual({
      text: 'Sentence',
      label: 'Label',
    });
  });

  it('uses length and repetition if the names are not telling', async () => {
    const rows = many((i) => `${i},a longer text with the number ${i},${i % 2 ? 'ham' : 'spam'}`, 20).join(
      '\n',
    );
    expect(await guess(`c0,c1,c2\n${rows}\n`)).toEqual({ text: 'c1', label: 'c2' });
  });

  it('finds no label if all values differ', async () => {
    const rows = many((i) => `some text ${i},${word(i)}`, 20).join('\n');
    expect(await guess(`a,b\n${rows}\n`)).toEqual({ text: 'a' });
  });

  it('finds the validation file by its name', () => {
    expect(guessValidation('sst2-train.csv', ['sst2-test.csv', 'sst2-dev.csv'])).toBe('sst2-dev.csv');
    expect(guessValidation('train.csv', ['other.csv'])).toBeUndefined();
  });

  it('finds test sets beside the training data', () => {
    const files = [
      '/a/test.csv',
      '/a/reviews-test.tsv',
      '/a/latest.csv',
      '/a/b/test.csv',
      '/a/test/0.csv',
      '/test.csv',
    ];
    expect(guessTests('/a/train.csv', files)).toEqual([
      '/a/test.csv',
      '/a/reviews-test.tsv',
      '/a/test/0.csv',
    ]);
    expect(guessTests('/a/train/0.parquet', ['/a/test/0.parquet', '/a/c/test/0.parquet'])).toEqual([
      '/a/test/0.parquet',
    ]);
    expect(guessTests('/a/train', ['/a/test', '/a/val'])).toEqual(['/a/test']);
    expect(guessValidation('all.csv', ['validation.csv'])).toBeUndefined();
  });
});
