import { expect, it } from 'vitest';
import { firstLines } from '../../../src/hub/hub-client';

it('shows the first lines of a card without metadata, comments, pictures and control characters', () => {
  const card = [
    '---',
    'license: mit',
    'widget: ["---"]',
    '---',
    '',
    '<!-- a comment',
    'over lines -->',
    '![a picture](x.png)',
    '# A model',
    '',
    '',
    'It \u001b[31mdoes\r',
    'something.',
    'More.',
  ].join('\n');
  expect(firstLines(card, 4)).toBe('# A model\n\nIt \\u001b[31mdoes\nsomething.');
  expect(firstLines('Only text', 4)).toBe('Only text');
  expect(firstLines('---\nnot: ended', 4)).toBe('---\nnot: ended');
});

it('cuts long lines, and takes no time for pictures that do not end', () => {
  expect(firstLines(`${'x'.repeat(60_000)}\nnext`, 2)).toMatch(/^x{399}…\nnext$/);
  const began = performance.now();
  firstLines('!['.repeat(32_768), 4);
  firstLines('![]('.repeat(16_384), 4);
  expect(performance.now() - began).toBeLessThan(500);
});
