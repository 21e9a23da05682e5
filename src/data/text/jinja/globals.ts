import { bind, text, whole } from './arguments';
import type { Budget } from './budget';
import { strftime } from './strftime';
import { TemplateError } from './template-error';
import { Callable, Dict, itemsOf, Namespace, Sequence, toText, type Arguments, type Value } from './values';

/** The longest range that transformers' sandbox makes. */
const LONGEST_RANGE = 100_000;

function range(args: Arguments, budget: Budget): Value {
  const bounds = args.positional.map((bound) => whole('range', bound));
  if (args.named.size > 0 || bounds.length < 1 || bounds.length > 3)
    throw new TemplateError('range takes one to three whole numbers');
  const [start, stop, step] =
    bounds.length === 1 ? [0, bounds[0], 1] : [bounds[0], bounds[1], bounds[2] ?? 1];
  if (step === 0) throw new TemplateError('the step of a range must not be zero');
  const size = Math.max(0, Math.ceil((stop - start) / step));
  if (size > LONGEST_RANGE)
    throw new TemplateError(
      `a range of ${size.toLocaleString('en')} numbers is too long: the limit is ${LONGEST_RANGE.toLocaleString('en')}`,
    );
  budget.build(size);
  const shown = `range(${step === 1 ? `${start}, ${stop}` : `${start}, ${stop}, ${step}`})`;
  return new Sequence(
    'range',
    Array.from({ length: size }, (_, i) => start + i * step),
    shown,
  );
}

/** The arguments of dict(...) and namespace(...). */
function pairs({ positional, named }: Arguments): [Value, Value][] {
  if (positional.length > 1) throw new TemplateError('only one value can be given without a name');
  const [first] = positional;
  const given: [Value, Value][] =
    first === undefined
      ? []
      : first instanceof Dict
        ? first.entries()
        : itemsOf(first).map((pair) => {
            const [key, value, ...more] = itemsOf(pair);
            if (value === undefined || more.length > 0)
              throw new TemplateError('pairs of a key and a value are needed');
            return [key, value];
          });
  return [...given, ...named];
}

/** Jinja's global functions, and transformers' own. */
export function globals(budget: Budget): Map<string, Value> {
  const functions: Record<string, (args: Arguments) => Value> = {
    range: (args) => range(args, budget),
    dict: (args) => new Dict(pairs(args)),
    namespace: (args) =>
      new Namespace(new Map(pairs(args).map(([key, value]) => [text('namespace', key), value]))),
    raise_exception: (args) => {
      throw new TemplateError(toText(bind('raise_exception', args, 'message!')[0]!), undefined, true);
    },
    strftime_now: (args) =>
      strftime(new Date(), text('strftime_now', bind('strftime_now', args, 'format!')[0])),
    joiner: (args) => {
      const [separator = ', '] = bind('joiner', args, 'sep');
      let used = false;
      return new Callable('joiner', () => {
        const shown = used ? separator : '';
        used = true;
        return shown;
      });
    },
    cycler: ({ positional }) => {
      if (positional.length === 0) throw new TemplateError('cycler needs values');
      let at = 0;
      const members = new Map<string, Value>();
      const show = () => members.set('current', positional[at]);
      members.set(
        'next',
        new Callable('next', () => {
          const value = positional[at];
          at = (at + 1) % positional.length;
          show();
          return value;
        }),
      );
      members.set(
        'reset',
        new Callable('reset', () => {
          at = 0;
          show();
          return null;
        }),
      );
      show();
      return new Namespace(members);
    },
  };
  return new Map(Object.entries(functions).map(([name, call]) => [name, new Callable(name, call)]));
}
