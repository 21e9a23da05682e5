import { copyFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Draw } from '../draw';
import { chatReaders } from '../subjects';
import { deep, type Lies } from './lie';

const template =
  (text: (draw: Draw) => string) =>
  (draw: Draw, folder: string): void => {
    copyFileSync(resolve('test/fixtures/data/wordpiece/tokenizer.json'), join(folder, 'tokenizer.json'));
    writeFileSync(join(folder, 'chat_template.jinja'), text(draw));
  };

const COUNTS = ['1000000', '1000000000', '10**12', '10**400', '-1'];

export const chatLies: Lies = {
  name: 'chat template',
  readers: chatReaders,
  lies: {
    'a loop': template((draw) => `{% for i in range(${draw.pick(COUNTS)}) %}x{% endfor %}`),
    'loops in loops': template((draw) =>
      deep('{% for i in range(1000) %}', '{% endfor %}', 'x', 2 + draw.int(200)),
    ),
    'a long text': template((draw) => `{{ 'x' * ${draw.pick(COUNTS)} }}`),
    'a text that doubles': template(
      () => `{% set ns = namespace(t='xx') %}${'{% set ns.t = ns.t + ns.t %}'.repeat(64)}{{ ns.t }}`,
    ),
    'a list that doubles': template(
      () => `{% set ns = namespace(t=[1]) %}${'{% set ns.t = ns.t + ns.t %}'.repeat(64)}{{ ns.t }}`,
    ),
    'a macro that calls itself': template(() => '{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}'),
    'brackets in brackets': template(
      (draw) => `{{ ${deep('(', ')', '1', draw.pick([100, 10_000, 400_000]))} }}`,
    ),
    'lists in lists': template((draw) => `{{ ${deep('[', ']', '1', draw.pick([100, 10_000, 400_000]))} }}`),
    'conditions in conditions': template((draw) =>
      deep('{% if true %}', '{% endif %}', 'x', draw.pick([100, 5000, 40_000])),
    ),
    'a chain of operators': template(
      (draw) => `{{ ${'not '.repeat(draw.pick([100, 10_000, 200_000]))} true }}`,
    ),
    'a chain of filters': template(
      (draw) => `{{ 'x' ${'| upper '.repeat(draw.pick([100, 10_000, 100_000]))} }}`,
    ),
    'a chain of sums': template((draw) => `{{ 1 ${'+ 1 '.repeat(draw.pick([100, 10_000, 200_000]))} }}`),
    powers: template(
      (draw) => `{{ ${draw.pick(['9**9**9', '2**10**10', '(0-1)**0.5', '1/0', '1//0', '1%0'])} }}`,
    ),
    'a long name': template(() => `{{ ${'n'.repeat(200_000)}.x() }}`),
    'a long refusal': template(
      (draw) => `{{ raise_exception('x' * ${draw.pick(['10', '100000', '10000000'])}) }}`,
    ),
    'a template of any length': template(() => 'x'.repeat(2_000_000)),
    'prototypes': template((draw) => `{{ ${draw.pick(["''.__class__.__mro__", 'messages.constructor', "messages['__proto__']", 'namespace.constructor("return 1")()', 'messages[0].__proto__.x'])} }}`), // prettier-ignore
    'a replacement that grows': template(
      () =>
        `{% set ns = namespace(t='xx') %}${"{% set ns.t = ns.t.replace('x', 'x' * 100) %}".repeat(9)}{{ ns.t }}`,
    ),
    'a format': template((draw) => `{{ ${draw.pick(["'%1000000000d' % 1", "'%.1000000000f' | format(1)", "'x'.center(1000000000)", "'x' | indent(1000000000)", "'x'.ljust(1000000000)", "messages | tojson(indent=1000000000)"])} }}`), // prettier-ignore
  },
};
