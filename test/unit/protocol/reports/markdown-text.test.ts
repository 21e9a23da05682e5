import { expect, it } from 'vitest';
import { codeSpan } from '../../../../src/base/escape';
import type { PreflightProblem } from '../../../../src/protocol/preflight';
import { markdownText } from '../../../../src/protocol/reports/markdown-text';
import type { Part } from '../../../../src/protocol/reports/report';

const EVIL = '*bold* | [x](command:y)\n# `rm`';
const SHOWN = '\\*bold\\* \\| \\[x\\](command:y) \\# `rm`';

const shown = (...parts: Part[]) => markdownText({ title: 'my_run', parts });

it('each part has its Markdown, with markup in its texts escaped', () =>
  expect(shown({ verdict: 'It *fits*.' }, { heading: 'a_b' }, EVIL, { list: ['one', EVIL] })).toBe(`# my\\_run

**It \\*fits\\*.**

## a\\_b

${SHOWN}

- one
- ${SHOWN}
`));

it('only text between backticks is code, and nothing in it is markup', () => {
  expect(shown('Run `aurora get a|b` or `*x*`; `<b>` and ` remain.')).toContain(
    'Run `aurora get a|b` or `*x*`; `<b>` and \\` remain.',
  );
  for (const name of ['a`b*', '``', ' `x'])
    expect(shown(`It is ${codeSpan(name)}.`)).toContain(`It is ${codeSpan(name)}.`);
});

it('a table aligns numbers and keeps shapes on a line, and a bar ends no cell', () =>
  expect(
    shown({
      columns: [{ code: 'module' }, { number: 'out × in' }, 'note'],
      rows: [
        ['a|b`c', '2 × 3', EVIL],
        ['', '4 × 5', '`d|e`'],
      ],
    }),
  ).toContain(`| module | out\u00a0×\u00a0in | note |
| --- | ---: | --- |
| \`\`a\\|b\`c\`\` | 2\u00a0×\u00a03 | ${SHOWN} |
|  | 4\u00a0×\u00a05 | \`d\\|e\` |
`));

it('a problem has its severity, setting, hint and links to its rows', () => {
  const places = [
    { file: 'a.csv', row: 3 },
    { file: 'b.parquet', row: 4 },
  ];
  const problems: PreflightProblem[] = [
    { kind: 'problem', severity: 'error', message: 'Bad <b>.', hint: 'Run `x`.', key: 'data.train', places },
    { kind: 'problem', severity: 'warning', message: 'Two\nlines' },
    { kind: 'problem', severity: 'note', message: 'Texts are truncated.' },
  ];
  const link = ({ file, row }: { file: string; row: number }) => (row === 3 ? `[${file}](<x>)` : undefined);
  expect(markdownText({ title: 'x', parts: [{ problems }] }, link)).toBe(`# x

- **Error** (\`data.train\`): Bad \\<b\\>. Run \`x\`. ([a.csv](<x>))
- Warning: Two lines
- Note: Texts are truncated.
`);
});
