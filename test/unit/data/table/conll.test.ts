import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConll } from '../../../../src/table/conll';
import type { ReadOptions } from '../../../../src/data/table/rows';
import { readRows } from '../../../../src/data/table/rows';
import { taggedRows } from '../../../../src/data/table/answer-rows';
import { rejection, temporaryFolder } from '../support';

const folder = temporaryFolder();
const options: ReadOptions = { textColumn: 'tokens', labelColumn: 'tags', onBadRow: 'fail' };
const skipping: ReadOptions = { ...options, onBadRow: 'skip' };

/** The records with their fields as a list, in the order of the columns. */
function parsed(text: string | Buffer) {
  const { columns, records } = parseConll(Buffer.from(text));
  return {
    columns,
    records: records.map((r) =>
      'problem' in r ? r : { line: r.line, fields: columns.map((name) => r.fields.get(name)) },
    ),
  };
}

describe('parseConll', () => {
  const two = {
    columns: ['tokens', 'tags'],
    records: [
      {
        line: 1,
        fields: [
          ['EU', 'rejects'],
          ['B-ORG', 'O'],
        ],
      },
      { line: 4, fields: [['Peter'], ['B-PER']] },
    ],
  };

  it.each([
    ['tabs', 'EU\tB-ORG\nrejects\tO\n\nPeter\tB-PER\n'],
    ['spaces', 'EU B-ORG\nrejects O\n\nPeter B-PER\n'],
    ['several spaces', 'EU      B-ORG\n rejects O \n\nPeter   B-PER\n'],
    ['CRLF', 'EU B-ORG\r\nrejects O\r\n\r\nPeter B-PER\r\n'],
    ['CR', 'EU B-ORG\rrejects O\r\rPeter B-PER\r'],
    ['no line break at the end', 'EU B-ORG\nrejects O\n\nPeter B-PER'],
    ['white space in the empty line', 'EU\tB-ORG\nrejects\tO\n \t\nPeter\tB-PER\n'],
    ['tabs or spaces by the line', 'EU\tB-ORG\nrejects O\n\nPeter\tB-PER'],
  ])('reads sentences with two columns: %s', (_, text) => {
    expect(parsed(text)).toEqual(two);
  });

  it('reads the four columns of CoNLL-2003 and names the ones in between by number', () => {
    const text =
      '-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\n-DOCSTART- -X- -X- O\n\nPeter NNP B-NP B-PER\n';
    expect(parsed(text)).toEqual({
      columns: ['tokens', '2', '3', 'tags'],
      records: [
        { line: 3, fields: [['EU', 'rejects'], ['NNP', 'VBZ'], ['B-NP', 'B-VP'], ['B-ORG', 'O']] }, // prettier-ignore
        { line: 8, fields: [['Peter'], ['NNP'], ['B-NP'], ['B-PER']] },
      ],
    });
  });

  it('ends a sentence at the start of a document, with or without columns', () => {
    // CoNLL-2002 has no empty line after -DOCSTART-.
    const dutch = '-DOCSTART- -DOCSTART- O\nDe Art O\nbank N B-ORG\n-DOCSTART-\nNee Int O\n';
    expect(parsed(dutch).records).toEqual([
      { line: 2, fields: [['De', 'bank'], ['Art', 'N'], ['O', 'B-ORG']] }, // prettier-ignore
      { line: 5, fields: [['Nee'], ['Int'], ['O']] },
    ]);
    expect(parsed('-DOCSTART- O\n\n-DOCSTART- O\n')).toEqual({ columns: [], records: [] });
  });

  it('accepts several empty lines in a row, including at the start and at the end', () => {
    const { records } = parsed('\n\na O\n\n\n\nb O\n\n\n');
    expect(records.map((r) => r.line)).toEqual([3, 7]);
  });

  it('skips comments and keeps words that start with #', () => {
    const text =
      '# sent_id = 1\n# text = #ok is a tag\n#ok\tO\nis\tO\n# in between\n#\tB-X\n\n# newdoc\n\na\tO\n';
    expect(parsed(text).records).toEqual([
      { line: 3, fields: [['#ok', 'is', '#'], ['O', 'O', 'B-X']] }, // prettier-ignore
      { line: 10, fields: [['a'], ['O']] },
    ]);
    // With spaces, lines with a different number of columns are comments, even before the first word.
    expect(parsed('# a comment of six words\n#first O\n# O\nlast O\n').records).toEqual([
      { line: 2, fields: [['#first', '#', 'last'], ['O', 'O', 'O']] }, // prettier-ignore
    ]);
  });

  it('keeps no-break spaces in a word, and spaces if tabs separate the columns', () => {
    expect(parsed('10\u00a0000 B-NUM\n\u3000x O\n').records).toEqual([
      { line: 1, fields: [['10\u00a0000', 'x'], ['B-NUM', 'O']] }, // prettier-ignore
    ]);
    expect(parsed('New York\tB-LOC\n').records).toEqual([{ line: 1, fields: [['New York'], ['B-LOC']] }]);
  });

  it.each([
    ['a word without a tag', 'a O\nb\nc O\n\nd O\n', 2],
    ['a word without a tag', 'a O\nb O\n\nc\n', 4],
    ['a word without a tag', 'a\nb O\n\nc O\n', 1],
    ['3 columns where other lines have 2', 'a O\n\nb x O\nc O\n\nd O\n', 3],
    ['2 columns where other lines have 4', 'a b c O\nd O\n', 2],
    ['an empty column', 'a\tO\nb\t\n\nc\tO\n', 2],
    ['an empty column', 'a\tx\tO\nb\t\tO\n', 2],
  ])('reports %s once per sentence, with its line', (problem, text, line) => {
    const { records } = parsed(text);
    expect(records.filter((r) => 'problem' in r)).toEqual([{ line, problem }]);
    expect(records.length).toBe(text.trim().split('\n\n').length);
  });

  it('reports files without tags and with other encodings, and returns no records for an empty file', () => {
    expect(parsed('')).toEqual({ columns: [], records: [] });
    expect(parsed('\n \n')).toEqual({ columns: [], records: [] });
    expect(parsed('# nothing\n')).toEqual({ columns: [], records: [] });
    expect(parsed('a\nb\n\nc\n').records).toEqual([
      { line: 1, problem: 'a word without a tag' },
      { line: 4, problem: 'a word without a tag' },
    ]);
    expect(parsed(Buffer.from([0x61, 0x20, 0x4f, 0x0a, 0xff, 0x20, 0x4f, 0x0a]))).toEqual({
      columns: [],
      records: [{ line: 1, problem: 'not valid UTF-8' }],
    });
  });

  it('returns the sentences that were written, with their lines', () => {
    const word = fc
      .string({ unit: fc.constantFrom('a', 'é', '😀', '.', '-', '"', '\u00a0'), minLength: 1 })
      .filter((w) => w.trim() === w && w !== '');
    const file = fc.record({
      sentences: fc.array(fc.array(fc.tuple(word, word, word), { minLength: 1, maxLength: 5 }), {
        minLength: 1,
        maxLength: 5,
      }),
      separator: fc.constantFrom('\t', ' ', '  '),
      eol: fc.constantFrom('\n', '\r\n'),
      ended: fc.boolean(),
    });
    fc.assert(
      fc.property(file, ({ sentences, separator, eol, ended }) => {
        const lines = sentences.map((words) => words.map((columns) => columns.join(separator)));
        const text = lines.map((l) => l.join(eol)).join(eol + eol) + (ended ? eol : '');
        const { columns, records } = parsed(text);
        expect(columns).toEqual(['tokens', '2', 'tags']);
        let line = 1;
        expect(records).toEqual(
          sentences.map((words) => {
            const record = { line, fields: [0, 1, 2].map((c) => words.map((w) => w[c])) };
            line += words.length + 1;
            return record;
          }),
        );
      }),
      { seed: 1 },
    );
  });
});

describe('taggedRows', () => {
  const rows = async (name: string, text: string, more: Partial<ReadOptions> = {}) =>
    (await readRows(folder.write(name, text), { ...options, ...more }, taggedRows)).rows;
  const wanted = {
    words: ['EU', 'rejects'],
    tags: ['B-ORG', 'O'],
    text: 'EU rejects',
    label: 'B-ORG O',
  };

  it.each([
    ['a.jsonl', '{"tokens":["EU","rejects"],"tags":["B-ORG","O"]}\n', 1],
    ['b.jsonl', '\n{"tags":"B-ORG O","tokens":" EU   rejects "}', 2],
    ['c.csv', 'tokens,tags\nEU rejects,B-ORG O\n', 2],
    ['d.tsv', 'id\ttags\ttokens\n1\tB-ORG O\tEU rejects\n', 2],
    ['e.conll', '\nEU NNP B-ORG\nrejects VBZ O\n', 2],
    ['f.iob', 'EU\tB-ORG\nrejects\tO', 1],
    ['g.iob2', '# id 1\nEU B-ORG\nrejects O\n', 2],
    ['h.bio', '-DOCSTART- O\n\nEU B-ORG\nrejects O\n', 3],
  ])('reads %s', async (name, text, line) => expect(await rows(name, text)).toEqual([{ ...wanted, line }]));

  it('reads compressed files and other columns of a CoNLL file by their number', async () => {
    const path = folder.write('z.conll.gz', gzipSync('EU NNP B-ORG\nrejects VBZ O\n'));
    expect((await readRows(path, options, taggedRows)).rows).toEqual([{ ...wanted, line: 1 }]);
    const { tags } = (await readRows(path, { ...options, labelColumn: '2' }, taggedRows)).rows[0];
    expect(tags).toEqual(['NNP', 'VBZ']);
    expect(await rejection('labels', readRows(path, { ...options, labelColumn: '3' }, taggedRows))).toContain(
      'has no column "3"; it has "tokens", "2", "tags"',
    );
  });

  it('accepts numbers as tags and as words, as in data sets on the Hub', async () => {
    const [row] = await rows('n.jsonl', '{"tokens":["in",1999],"tags":[0,7]}\n');
    expect([row.words, row.tags, row.text, row.label]).toEqual([['in', '1999'], ['0', '7'], 'in 1999', '0 7']); // prettier-ignore
  });

  it('keeps words with spaces in them', async () =>
    expect((await rows('s.jsonl', '{"tokens":["New York","!"],"tags":["B-LOC","O"]}\n'))[0].words).toEqual([
      'New York',
      '!',
    ]));

  it.each([
    ['2 words in "tokens" and 1 tags in "tags"', '{"tokens":["a","b"],"tags":["O"]}'],
    ['2 words in "tokens" and 3 tags in "tags"', '{"tokens":"a b","tags":["O","O","O"]}'],
    ['"tokens" is empty', '{"tokens":[],"tags":[]}'],
    ['"tags" is empty', '{"tokens":["a"],"tags":[]}'],
    ['"tokens" is empty', '{"tokens":"  ","tags":["O"]}'],
    ['no "tags"', '{"tokens":["a"]}'],
    ['no "tokens"', '{"tokens":null,"tags":["O"]}'],
    ['"tokens" is not a list', '{"tokens":{"a":1},"tags":["O"]}'],
    ['"tags" is not a list', '{"tokens":["a"],"tags":true}'],
    ['"tags" is not a list', '{"tokens":["a"],"tags":1}'],
    ['item 2 of "tags" is not a string or number', '{"tokens":["a","b"],"tags":["O",null]}'],
    ['item 1 of "tokens" is not a string or number', '{"tokens":[["a"]],"tags":["O"]}'],
    ['item 2 of "tokens" is not a string or number', '{"tokens":["a"," "],"tags":["O","O"]}'],
  ])('rejects a row with its line: %s', async (reason, json) => {
    const good = '{"tokens":["x"],"tags":["O"]}\n';
    const path = folder.write('bad.jsonl', `${good}${json}\n${good}`);
    expect(await rejection('data', readRows(path, options, taggedRows))).toContain(`${path}:2: ${reason}.`);
    const { rows: kept, skipped } = await readRows(path, skipping, taggedRows);
    expect(kept.map((r) => r.line)).toEqual([1, 3]);
    expect(skipped).toEqual([{ line: 2, reason }]);
  });

  it('rejects a malformed CoNLL line with its number, or skips its sentence', async () => {
    const path = folder.write('bad.conll', 'a O\nb\n\nc O\n');
    expect(await rejection('data', readRows(path, options, taggedRows))).toContain(
      `${path}:2: a word without a tag. | Correct the row, or set data.onBadRow to "skip"`,
    );
    expect(await readRows(path, skipping, taggedRows)).toMatchObject({
      rows: [{ words: ['c'], line: 4 }],
      skipped: [{ line: 2, reason: 'a word without a tag' }],
    });
    const none = folder.write('none.conll', '-DOCSTART- O\n\n# nothing\n');
    expect(await rejection('emptyData', readRows(none, options, taggedRows))).toContain(
      `${none} has no rows.`,
    );
    expect(
      await rejection('emptyData', readRows(folder.write('e.conll', ''), options, taggedRows)),
    ).toContain('is empty');
    const latin = folder.write('latin.conll', Buffer.from([0x61, 0x20, 0x4f, 0x0a, 0xe9, 0x20, 0x4f]));
    expect(await rejection('data', readRows(latin, options, taggedRows))).toContain(
      `${latin}:1: not valid UTF-8.`,
    );
  });

  it('names the columns of the file if one is missing', async () => {
    const path = folder.write('hub.jsonl', '{"tokens":["a"],"ner_tags":[0]}\n');
    expect(await rejection('labels', readRows(path, options, taggedRows))).toContain(
      'has no column "tags"; it has "tokens", "ner_tags".',
    );
    expect((await readRows(path, { ...options, labelColumn: 'ner_tags' }, taggedRows)).rows[0].tags).toEqual([
      '0',
    ]);
  });
});
