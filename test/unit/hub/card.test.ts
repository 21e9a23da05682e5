import { expect, it } from 'vitest';
import { firstLines } from '../../../src/hub/card';

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
