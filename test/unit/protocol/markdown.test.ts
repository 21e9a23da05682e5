import { describe, expect, it } from 'vitest';
import { codeSpan, plainWords } from '../../../src/base/markdown';

describe('untrusted text in a model card', () => {
  it.each([
    ['pets', '`pets`'],
    ['pe`ts', '``pe`ts``'],
    ['``x', '``` ``x ```'],
    ['', '`  `'],
    ['a\n# Heading', '`a\\u000a# Heading`'],
    ['| <b>x</b>', '`| <b>x</b>`'],
  ])('%j as code becomes %s', (text, span) => expect(codeSpan(text)).toBe(span));

  it('is escaped as words', () =>
    expect(plainWords('*A* | [b](c) <i>\n# `x`')).toBe('\\*A\\* \\| \\[b\\](c) \\<i\\>\\\\u000a\\# \\`x\\`'));
});
