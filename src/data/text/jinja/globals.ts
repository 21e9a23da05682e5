import { bind, text, whole } from './arguments';
import type { Budget } from './render-budget';
import { TemplateError } from './template-error';
import {
  type Arguments,
  Callable,
  Dict,
  itemsOf,
  Namespace,
  Sequence,
  toText,
  type Value,
} from './jinja-values';

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

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** Python's strftime in the C locale: English names, whatever this machine's language is. */
function strftime(date: Date, format: string): string {
  const two = (value: number, fill = '0') => String(value).padStart(2, fill);
  const dayOfYear =
    Math.round(
      (Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - Date.UTC(date.getFullYear(), 0, 1)) /
        86_400_000,
    ) + 1;
  const parts: Record<string, () => string> = {
    Y: () => String(date.getFullYear()),
    y: () => two(date.getFullYear() % 100),
    m: () => two(date.getMonth() + 1),
    B: () => MONTHS[date.getMonth()],
    b: () => MONTHS[date.getMonth()].slice(0, 3),
    h: () => MONTHS[date.getMonth()].slice(0, 3),
    d: () => two(date.getDate()),
    e: () => two(date.getDate(), ' '),
    j: () => String(dayOfYear).padStart(3, '0'),
    A: () => DAYS[date.getDay()],
    a: () => DAYS[date.getDay()].slice(0, 3),
    w: () => String(date.getDay()),
    u: () => String(date.getDay() || 7),
    H: () => two(date.getHours()),
    I: () => two(date.getHours() % 12 || 12),
    M: () => two(date.getMinutes()),
    S: () => two(date.getSeconds()),
    f: () => String(date.getMilliseconds() * 1000).padStart(6, '0'),
    p: () => (date.getHours() < 12 ? 'AM' : 'PM'),
    // Python's datetime.now() has no zone.
    z: () => '',
    Z: () => '',
    s: () => String(Math.floor(date.getTime() / 1000)),
    n: () => '\n',
    t: () => '\t',
    D: () => strftime(date, '%m/%d/%y'),
    F: () => strftime(date, '%Y-%m-%d'),
    T: () => strftime(date, '%H:%M:%S'),
    R: () => strftime(date, '%H:%M'),
    r: () => strftime(date, '%I:%M:%S %p'),
    c: () => strftime(date, '%a %b %e %H:%M:%S %Y'),
    x: () => strftime(date, '%m/%d/%y'),
    X: () => strftime(date, '%H:%M:%S'),
    '%': () => '%',
  };
  return format.replace(/%(-?)([a-zA-Z%])/g, (all, bare: string, letter: string) => {
    if (!Object.hasOwn(parts, letter)) return all;
    const shown = parts[letter]();
    return bare ? shown.replace(/^[0 ]+(?=.)/, '') : shown;
  });
}
