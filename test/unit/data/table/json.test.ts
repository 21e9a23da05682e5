import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRows, type ReadOptions } from '../../../../src/data/table/rows';
import { taggedRows } from '../../../../src/data/table/answer-rows';
import { parseJsonArray } from '../../../../src/table/json';
import { failure, rejection, temporaryFolder } from '../support';

const folder = temporaryFolder();
const options: ReadOptions = { textColumn: 'text', labelColumn: 'label', onBadRow: 'fail' };
const skipping: ReadOptions = { ...options, onBadRow: 'skip' };
const parsed = (text: string | Buffer) => parseJsonArray('a.json', Buffer.from(text));
const wrong = (text: string) => failure('data', () => parsed(text));

describe('a JSON array', () => {
  it('has a row for each object, with its place in the array', async () => {
    // As Commonsense170K is distributed.
    const text = `\ufeff[
  {
    "instruction": "Is [this] a {question}, \\"yes\\" or no?\\\\",
    "input": "",
    "output": "the correct answer is true",
    "answer": "true"
  },
  { "instruction": "é 🙂", "input": "", "output": "the correct answer is false", "answer": "false" }
]
`;
    const columns = { ...options, textColumn: 'instruction', labelColumn: 'answer' };
    for (const path of [folder.write('a.json', text), folder.write('a.json.gz', gzipSync(text))])
      expect(await readRows(path, columns)).toEqual({
        rows: [
          { text: 'Is [this] a {question}, "yes" or no?\\', label: 'true', line: 1 },
          { text: 'é 🙂', label: 'false', line: 2 },
        ],
        skipped: [],
      });
    expect(parsed(text.slice(1)).columns).toEqual(['instruction', 'input', 'output', 'answer']);
  });

  it('has words and tags in lists', async () => {
    const path = folder.write('ner.json', '[{"tokens":["a","b"],"tags":["O","B-X"]}]');
    const { rows } = await readRows(
      path,
      { ...options, textColumn: 'tokens', labelColumn: 'tags' },
      taggedRows,
    );
    expect(rows[0]).toMatchObject({ words: ['a', 'b'], tags: ['O', 'B-X'], line: 1 });
  });

  it('has what JSON.parse finds', () => {
    const spaces = fc.constantFrom('', ' ', '\n', '\t\r\n  ');
    fc.assert(
      fc.property(fc.array(fc.dictionary(fc.string(), fc.jsonValue())), spaces, (objects, space) => {
        const text = space + JSON.stringify(objects, null, space) + space;
        const records = parsed(text).records.map(
          (r) => 'fields' in r && [...(r.fields as Map<string, unknown>)],
        );
        expect(records).toEqual((JSON.parse(text) as object[]).map((o) => Object.entries(o)));
      }),
      { seed: 5, numRuns: 300 },
    );
  });

  it('may have items that cannot be used', async () => {
    const latin = Buffer.from([...Buffer.from('{"text":"'), 0xe9, ...Buffer.from('"}')]);
    const path = folder.write(
      'bad.json',
      Buffer.concat([
        Buffer.from('[3, [], null, "{,}", {"label":1},'),
        latin,
        Buffer.from(',{"text":"a","label":1}]'),
      ]),
    );
    expect(await readRows(path, skipping)).toEqual({
      rows: [{ text: 'a', label: '1', line: 7 }],
      skipped: [
        ...[1, 2, 3, 4].map((line) => ({ line, reason: 'not a JSON object' })),
        { line: 5, reason: 'no "text"' },
        { line: 6, reason: 'not valid UTF-8' },
      ],
    });
    expect(await rejection('data', readRows(path, options))).toContain(
      'bad.json, item 1: not a JSON object.',
    );
    const none = folder.write('none.json', '[1]');
    expect(await rejection('emptyData', readRows(none, skipping))).toContain(
      'its only row was skipped, item 1: not a JSON',
    );
    const empty = folder.write('empty.json', ' [ ] ');
    expect(await rejection('emptyData', readRows(empty, options))).toContain('has no rows');
  });

  it.each([
    [
      '[{"a":1},\n {"a":',
      'a.json:2:7: the file ends within item 2: it is cut off. | Copy or download it again.',
    ],
    ['[{"a":"é\n', 'a.json:2:1: the file ends within item 1'],
    ['[', 'a.json:1:2: the file ends within item 1'],
    ['[{"a":1},', 'a.json:1:10: the file ends within item 2'],
    ['[{"a":"\\', 'a.json:1:9: the file ends within item 1'],
  ])('that is cut off has the place of its end: %j', (text, message) =>
    expect(wrong(text)).toContain(message),
  );

  it.each([
    ['[{"é":1,\n "b" 2}]', 'a.json:2:6: item 1 is not valid JSON ('],
    ['[{}, {"a":1,}]', 'a.json:1:13: item 2 is not valid JSON'],
    ['[{},\n {"a": x}]', "a.json:2:2: item 2 is not valid JSON (Unexpected token 'x'"],
    ['[{},]', 'a.json:1:5: item 2 is not valid JSON'],
    ['[{} {}]', 'a.json:1:5: item 1 is not valid JSON'],
    ['[{}}]', 'a.json:1:4: this bracket has no counterpart.'],
    ['[{}] {}', 'a.json:1:6: unexpected content after the array.'],
    ['[{"a":1]}', 'a.json:1:8: item 1 is not valid JSON'],
    ['3', 'a.json:1:1: a JSON array starts with [.'],
    ['  "text"', 'a.json:1:3: a JSON array starts with [.'],
  ])('with a mistake has its place: %j', (text, message) => expect(wrong(text)).toContain(message));

  it.each([
    ['{"data":[{"a":1}]}', 'Write the objects as [{ … }, { … }], or one on each line of a .jsonl file.'],
    ['{\n"a":1}\n', 'Write the objects as'],
    ['{"a":1}\n{"a":2}\n', 'It has an object on each line: name it .jsonl.'],
  ])('is not one object: %j', (text, hint) =>
    expect(wrong(text)).toContain(
      `a.json is not a JSON array of objects, but starts with an object. | ${hint}`,
    ),
  );

  it('with a mistake is an error even if unusable rows are skipped', async () => {
    const path = folder.write('mistake.json', '[{"text":"a","label":1}, {"text" 1}]');
    expect(await rejection('data', readRows(path, skipping))).toContain('mistake.json:1:34: item 2');
  });
});
