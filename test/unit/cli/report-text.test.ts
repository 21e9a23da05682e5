import { expect, it } from 'vitest';
import { terminalText } from '../../../src/cli/report-text';
import type { Part } from '../../../src/protocol/reports/report';

const PARTS: Part[] = [
  { heading: 'Modules' },
  'Two of three layers get an adapter, and the others stay as they are.',
  {
    columns: [{ code: 'module' }, { number: 'out × in' }, 'note'],
    rows: [
      ['query', '512 × 8', ''],
      ['layer.0.value', '8 × 8', 'shared'],
    ],
  },
  { list: ['The first of them', 'a second item that is long'] },
  { verdict: '0.62 s/step' },
];

it('a section is indented below its heading, with aligned columns', () =>
  expect(terminalText(PARTS, Infinity)).toBe(`
Modules
  Two of three layers get an adapter, and the others stay as they are.

  module          out × in   note
  query            512 × 8
  layer.0.value      8 × 8   shared

  - The first of them
  - a second item that is long

0.62 s/step
`));

it('sentences are wrapped at the width of the terminal, and nothing is in a file', () => {
  const lines = terminalText(PARTS, 34).split('\n');
  expect(lines.slice(2, 5)).toEqual([
    '  Two of three layers get an',
    '  adapter, and the others stay as',
    '  they are.',
  ]);
  expect(lines).toContain('  - a second item that is long');
  expect(terminalText(['word '.repeat(100).trim()])).toBe(`${'word '.repeat(100).trim()}\n`);
});

it('text in the last column of a table continues below itself', () => {
  const table: Part = {
    columns: ['', ''],
    rows: [
      ['inputs', 'one and two and three and four'],
      ['type', 'ONNX'],
    ],
  };
  expect(terminalText([table], 30)).toBe(`inputs   one and two and three
         and four
type     ONNX
`);
});

it('a long table shows its first rows and counts the rest', () => {
  const rows = Array.from({ length: 1500 }, (_, i) => [`label ${i}`]);
  expect(terminalText([{ columns: [''], rows, few: 2 }])).toBe('label 0\nlabel 1\nand 1,498 more\n');
});

it('a problem comes with its hint and the rows that show it, unless its message names them', () => {
  const places = [
    { file: 'a.csv', row: 3 },
    { file: 'b.parquet', row: 4 },
  ];
  const problem = {
    kind: 'problem',
    severity: 'error',
    message: 'Bad rows.',
    hint: 'Skip them.',
    places,
  } as const;
  expect(terminalText([{ problems: [{ ...problem, places }] }])).toBe(
    'error: Bad rows.\n         Skip them.\n         a.csv:3, b.parquet, row 4\n',
  );
  expect(terminalText([{ problems: [{ ...problem, message: 'a.csv:3: bad.', places }] }])).toBe(
    'error: a.csv:3: bad.\n         Skip them.\n',
  );
});

it('text from a file controls no terminal', () => {
  const evil = 'x\u001b[2J\ny';
  const text = terminalText([evil, { heading: evil }, { list: [evil] }, { columns: [evil], rows: [[evil]] }]);
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  expect(text).not.toMatch(/^y/m);
});
