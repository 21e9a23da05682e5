import { describe, expect, it } from 'vitest';
import { compile } from '../../../../src/data/text/jinja/template';
import { TemplateError } from '../../../../src/data/text/jinja/template-error';

/** The error of a template's rendering, and its line. */
function refusal(template: string): [string, number | undefined] {
  try {
    compile(template)({});
  } catch (error) {
    if (error instanceof TemplateError) return [error.message, error.line];
    throw error;
  }
  throw new Error('was not refused');
}

const doubling = (what: string): string =>
  `{% set ns = namespace(s=${what}) %}{% for i in range(1000) %}{% set ns.s = ns.s + ns.s %}{% endfor %}`;
const nesting = (use: string): string =>
  `{% set ns = namespace(a=[1], b=[1]) %}{% for i in range(90) %}{% set ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b] %}{% endfor %}{{ ${use} }}`;

describe('a template that never ends', () => {
  it.each([
    [
      'a long range',
      'a\n{% for i in range(100000000) %}{% endfor %}',
      'range of 100,000,000 numbers is too long',
      2,
    ],
    [
      'nested loops',
      '{% for i in range(99999) %}\n{% for j in range(99999) %}{% endfor %}{% endfor %}',
      'takes more than 5,000,000 steps',
      2,
    ],
    [
      'a recursive macro',
      '\n{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}',
      'nested more than 100 deep',
      2,
    ],
    [
      'a macro that branches',
      '{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}',
      'takes more than 5,000,000 steps',
      1,
    ],
    [
      'a recursive loop',
      '{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}',
      'nested more than 100 deep',
      1,
    ],
    ['a text that doubles', doubling("'x'"), 'builds more than 32,000,000 characters', 1],
    ['a list that doubles', doubling('[1]'), 'more than', 1],
    ['a text that is repeated', "{{ 'x' * 10000000000 }}", 'more than', 1],
    ['a text that is padded', "{{ 'x'.center(10000000000) }}", 'more than', 1],
    ['a wide format', "{{ '%9999999999d' % 1 }}", 'is too large', 1],
    ['output without end', "{% for i in range(99999) %}{{ 'x' * 9999 }}{% endfor %}", 'more than', 1],
    ['a list in lists as text', nesting('ns.a'), 'a list or a dict has more than', 1],
    ['lists in lists that are compared', nesting('ns.a == ns.b'), 'a list or a dict has more than', 1],
    [
      'long texts that are compared',
      "{% set a = 'a' * 9000000 %}{% set b = 'a' * 9000000 %}{% for i in range(99999) %}{{ a == b }}{% endfor %}",
      'takes more than 5,000,000 steps',
      1,
    ],
    [
      'long texts that are searched',
      "{% set a = 'a' * 2000000 %}{% set b = 'a' * 1000000 ~ 'b' %}{{ b in a }}",
      'takes more than 5,000,000 steps',
      1,
    ],
  ])('is stopped with its line: %s', (_, template, message, line) => {
    const [found, at] = refusal(template);
    expect(found).toContain(message);
    expect(at).toBe(line);
  });

  it('does not stop a conversation of a thousand long messages', () => {
    const template = compile(
      "{% set ns = namespace(last=0) %}{% for m in messages %}{% if m.role == 'user' and '</tool>' not in m.content %}{% set ns.last = loop.index0 %}{% endif %}{% endfor %}{% for m in messages %}{{ '<|' ~ m.role ~ '|>' + m.content.split('</think>')[-1].strip() + '\\n' }}{% endfor %}",
    );
    const messages = Array.from({ length: 1000 }, (_, i) => ({
      role: i % 2 ? 'assistant' : 'user',
      content: `<think>${'x'.repeat(2000)}</think> ${'word '.repeat(400)}`,
    }));
    expect(template({ messages }).text.length).toBeGreaterThan(2_000_000);
  });
});

describe('a mistake in a template', () => {
  it.each([
    ['a\nb\n{% if %}', 'expected a value, got the end of {%', 3],
    ['{{ a ', '{{ is not closed', 1],
    ['\n\n{% for x in y %}', '{% endfor %} is missing', 3],
    ['{% endfor %}', 'the tag {% endfor %} is not supported', 1],
    ['{%', '{% is not closed', 1],
    ["\n{{ 'a }}", 'a string does not end', 2],
    ['{# a', 'a comment does not end', 1],
    ['{% raw %}', '{% raw %} does not end', 1],
    ["{% include 'x' %}", 'the tag {% include %} is not supported', 1],
    ['{{ a ! }}', 'unexpected character "!"', 1],
    ['{{ (1] }}', 'unexpected "]"', 1],
    [`{{ ${'('.repeat(9_000)}1${')'.repeat(9_000)} }}`, 'nested more than 100 deep', 1],
    ['{% if 1 %}'.repeat(1000), 'nested more than 100 deep', 1],
    [`{{ 1${'+1'.repeat(200_000)} }}`, 'is nested too deeply', 1],
    [' '.repeat(1_000_001), 'is longer than 1,000,000 characters', 1],
    ['\n{{ 1|nothing }}', 'the filter "nothing" is not supported', 2],
    ['\n{{ 1 is nothing }}', 'the test "nothing" is not supported', 2],
    ['\n{{ a.b }}', '"a" is undefined', 2],
    ['\n{{ [1].append(2) }}', 'list cannot be changed', 2],
    ['{% break %}', 'need a loop', 1],
  ])('is reported with its line: %#', (template, message, line) => {
    const [found, at] = refusal(template);
    expect(found).toContain(message);
    expect(at).toBe(line);
  });
});
