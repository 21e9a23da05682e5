import { describe, expect, it } from 'vitest';
import { codeSpan, markdownTable, plainWords } from '../../../src/base/escape';

describe('untrusted text in a model card', () => {
  it.each([
    ['pets', '`pets`'],
    ['pe`ts', '``pe`ts``'],
    ['``x', '``` ``x ```'],
    ['', '`  `'],
    ['a\n# Heading', '`a\\u000a# Heading`'],
    ['| <b>x</b>', '`| <b>x</b>`'],
  ])('%j as code becomes %s', (text, span) => expect(codeSpan(text)).toBe(span));

  it.each([
    ['*A* | [b](c) <i>\n# `x`', '\\*A\\* \\| \\[b\\](c) \\<i\\>\\\\u000a\\# \\`x\\`'],
    ['- not an item', '\\- not an item'],
    ['$x^2$ $(check)', '\\$x^2\\$ \\$(check)'],
  ])('%j is escaped as words', (text, words) => expect(plainWords(text)).toBe(words));
});

it('a table aligns numbers to the right', () => {
  expect(markdownTable(['', 'n'], [['a', '1']])).toBe('|  | n |\n| --- | ---: |\n| a | 1 |');
  expect(markdownTable(['a', 'b'], [], () => false)).toBe('| a | b |\n| --- | --- |');
});
