import { bind, text, whole } from './arguments';
import { braceFormat } from './jinja-format';
import {
  type Arguments,
  Callable,
  Dict,
  Float,
  isEqual,
  itemsOf,
  list,
  Loop,
  Namespace,
  orElse,
  Sequence,
  tuple,
  typeName,
  type Value,
} from './jinja-values';
import { searched } from './operators';
import * as python from './python-text';
import type { Budget } from './render-budget';
import { TemplateError } from './template-error';

type Method<T> = (self: T, args: Arguments, budget: Budget) => Value;

const tests =
  (pattern: RegExp): Method<string> =>
  (self) =>
    pattern.test(self);
const ends =
  (name: string, side: 'both' | 'left' | 'right'): Method<string> =>
  (self, args) => {
    const [chars] = bind(name, args, 'chars');
    return python.strip(self, chars === undefined || chars === null ? null : text(name, chars), side);
  };
const splits =
  (name: string, right: boolean): Method<string> =>
  (self, args, budget) => {
    const [separator, most] = bind(name, args, 'sep', 'maxsplit');
    const limit = whole(name, most, -1);
    budget.build(self.length);
    if (separator === undefined || separator === null) return list(python.splitWords(self, limit, right));
    if (separator === '') throw new TemplateError(`${name} needs a separator that is not empty`);
    return list(python.splitBy(self, text(name, separator), limit, right));
  };
const affix =
  (name: string, has: (self: string, part: string) => boolean): Method<string> =>
  (self, args) => {
    const [wanted, start, end] = bind(name, args, 'prefix!', 'start', 'end');
    const part = start === undefined ? self : cut(name, self, start, end);
    const all = wanted instanceof Sequence && wanted.kind === 'tuple' ? wanted.items : [wanted];
    return all.some((one) => has(part, text(name, one)));
  };
const cut = (name: string, self: string, start: Value | undefined, end: Value | undefined): string =>
  python
    .characters(self)
    .slice(
      start === null ? 0 : whole(name, start, 0),
      end === null || end === undefined ? undefined : whole(name, end),
    )
    .join('');
const finds =
  (name: string, last: boolean, strict: boolean): Method<string> =>
  (self, args, budget) => {
    const [part, start, end] = bind(name, args, 'sub!', 'start', 'end');
    const wanted = text(name, part);
    searched(self, wanted, budget);
    const within = cut(name, self, start, end);
    const at = last ? within.lastIndexOf(wanted) : within.indexOf(wanted);
    if (at < 0 && strict) throw new TemplateError('substring not found');
    if (at < 0) return -1;
    const first = whole(name, start ?? undefined, 0);
    const offset = first < 0 ? Math.max(0, python.textLength(self) + first) : first;
    return offset + python.textLength(within.slice(0, at));
  };
const pads =
  (name: string, side: 'left' | 'right' | 'both'): Method<string> =>
  (self, args, budget) => {
    const [width, fill] = bind(name, args, 'width!', 'fillchar');
    const missing = Math.max(0, whole(name, width) - python.textLength(self));
    budget.build(self.length + missing);
    const filling = fill === undefined ? ' ' : text(name, fill);
    // str.center puts the odd one on the left where the width is odd.
    const left =
      side === 'left' ? missing : side === 'right' ? 0 : (missing >> 1) + (missing & whole(name, width) & 1);
    return filling.repeat(left) + self + filling.repeat(missing - left);
  };
const parts =
  (name: string, last: boolean): Method<string> =>
  (self, args) => {
    const separator = text(name, bind(name, args, 'sep!')[0]);
    const at = last ? self.lastIndexOf(separator) : self.indexOf(separator);
    if (at < 0) return tuple(last ? ['', '', self] : [self, '', '']);
    return tuple([self.slice(0, at), separator, self.slice(at + separator.length)]);
  };

const STRING: Record<string, Method<string>> = {
  upper: (self) => self.toUpperCase(),
  lower: (self) => self.toLowerCase(),
  casefold: (self) => self.toLowerCase().replaceAll('ß', 'ss'),
  swapcase: (self) =>
    self.replace(/\p{Lu}|\p{Ll}/gu, (c) => (c === c.toUpperCase() ? c.toLowerCase() : c.toUpperCase())),
  capitalize: python.capitalized,
  title: python.titled,
  strip: ends('strip', 'both'),
  lstrip: ends('lstrip', 'left'),
  rstrip: ends('rstrip', 'right'),
  split: splits('split', false),
  rsplit: splits('rsplit', true),
  splitlines: (self, args) => {
    const [keep] = bind('splitlines', args, 'keepends');
    return list(python.splitLines(self, keep === true));
  },
  partition: parts('partition', false),
  rpartition: parts('rpartition', true),
  startswith: affix('startswith', (self, part) => self.startsWith(part)),
  endswith: affix('endswith', (self, part) => self.endsWith(part)),
  removeprefix: (self, args) => {
    const prefix = text('removeprefix', bind('removeprefix', args, 'prefix!')[0]);
    return self.startsWith(prefix) ? self.slice(prefix.length) : self;
  },
  removesuffix: (self, args) => {
    const suffix = text('removesuffix', bind('removesuffix', args, 'suffix!')[0]);
    return suffix !== '' && self.endsWith(suffix) ? self.slice(0, -suffix.length) : self;
  },
  replace: (self, args, budget) => {
    const [from, to, count] = bind('replace', args, 'old!', 'new!', 'count');
    return replaceText(self, text('replace', from), text('replace', to), whole('replace', count, -1), budget);
  },
  find: finds('find', false, false),
  rfind: finds('rfind', true, false),
  index: finds('index', false, true),
  rindex: finds('rindex', true, true),
  count: (self, args, budget) => {
    const [part, start, end] = bind('count', args, 'sub!', 'start', 'end');
    const wanted = text('count', part);
    searched(self, wanted, budget);
    const within = cut('count', self, start, end);
    return wanted === '' ? python.textLength(within) + 1 : python.occurrences(within, wanted);
  },
  join: (self, args, budget) => joined(self, itemsOf(bind('join', args, 'iterable!')[0]!), budget),
  format: (self, args, budget) => {
    const made = braceFormat(self, args);
    budget.build(made.length);
    return made;
  },
  center: pads('center', 'both'),
  ljust: pads('ljust', 'right'),
  rjust: pads('rjust', 'left'),
  zfill: (self, args, budget) => {
    const missing = Math.max(0, whole('zfill', bind('zfill', args, 'width!')[0]) - python.textLength(self));
    budget.build(missing);
    const sign = /^[+-]/.exec(self)?.[0] ?? '';
    return sign + '0'.repeat(missing) + self.slice(sign.length);
  },
  isalnum: tests(/^[\p{L}\p{N}]+$/u),
  isalpha: tests(/^\p{L}+$/u),
  isascii: tests(/^[\0-\x7f]*$/),
  isdecimal: tests(/^\p{Nd}+$/u),
  isdigit: tests(/^[\p{Nd}²³¹⁰-⁹₀-₉]+$/u),
  isnumeric: tests(/^\p{N}+$/u),
  isidentifier: tests(/^[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}]*$/u),
  isspace: (self) => self !== '' && python.strip(self) === '',
  islower: isLower,
  isupper: isUpper,
  istitle: (self) => /\p{L}/u.test(self) && python.titled(self) === self,
};

export function isLower(text: string): boolean {
  return /\p{Ll}/u.test(text) && !/[\p{Lu}\p{Lt}]/u.test(text);
}

export function isUpper(text: string): boolean {
  return /\p{Lu}/u.test(text) && !/[\p{Ll}\p{Lt}]/u.test(text);
}

/** str.replace within the budget. */
export function replaceText(self: string, from: string, to: string, most: number, budget: Budget): string {
  searched(self, from, budget);
  const times = from === '' ? self.length + 1 : to.length > from.length ? python.occurrences(self, from) : 0;
  budget.build(self.length + to.length * (most < 0 ? times : Math.min(times, most)));
  return python.replaced(self, from, to, most);
}

/** separator.join(items) within the budget. @throws TemplateError for items that are not texts */
export function joined(separator: string, items: readonly Value[], budget: Budget): string {
  const all = items.map((item) => text('join', item));
  budget.build(all.reduce((sum, item) => sum + item.length + separator.length, 0));
  return all.join(separator);
}

const SEQUENCE: Record<string, Method<Sequence>> = {
  index: (self, args, budget) => {
    const [wanted] = bind('index', args, 'value!');
    budget.read(self.weight);
    const at = self.items.findIndex((item) => isEqual(item, wanted!));
    if (at < 0) throw new TemplateError('the value is not in the list');
    return at;
  },
  count: (self, args, budget) => {
    const [wanted] = bind('count', args, 'value!');
    budget.read(self.weight);
    return self.items.filter((item) => isEqual(item, wanted!)).length;
  },
  copy: (self) => list([...self.items]),
};

const DICT: Record<string, Method<Dict>> = {
  get: (self, args) => {
    const [key, fallback] = bind('get', args, 'key!', 'default');
    return orElse(self.get(key!), () => orElse(fallback, () => null));
  },
  items: (self) => new Sequence('dict_items', self.entries().map(tuple)),
  keys: (self) =>
    new Sequence(
      'dict_keys',
      self.entries().map(([key]) => key),
    ),
  values: (self) =>
    new Sequence(
      'dict_values',
      self.entries().map(([, value]) => value),
    ),
  copy: (self) => new Dict(self.entries()),
};

/** The methods that transformers' sandbox refuses, since they would change a value. */
const CHANGES = new Set([
  'append', 'clear', 'extend', 'insert', 'pop', 'popitem', 'remove', 'reverse', 'setdefault', 'sort', 'update',
]); // prettier-ignore

/** A method or an attribute that Python gives the value; undefined where there is none. */
export function memberOf(value: Value, name: string, budget: Budget): Value | undefined {
  const bound = <T>(self: T, methods: Record<string, Method<T>>): Value | undefined =>
    Object.hasOwn(methods, name)
      ? new Callable(name, (args) => {
          budget.read(64 + (typeof self === 'string' ? 4 * self.length : 0));
          const result = methods[name](self, args, budget);
          if (typeof result === 'string') budget.build(result.length);
          return result;
        })
      : undefined;
  if (value instanceof Namespace) return value.members.get(name);
  if (value instanceof Loop) return loopMember(value, name);
  if (typeof value === 'string') {
    const method = bound(value, STRING);
    if (!method && ['encode', 'expandtabs', 'format_map', 'isprintable', 'translate'].includes(name))
      throw new TemplateError(`the string method "${name}" is not supported`);
    return method;
  }
  if (value instanceof Float && name === 'is_integer')
    return new Callable(name, () => Number.isInteger(value.value));
  const changes = value instanceof Dict || (value instanceof Sequence && value.kind === 'list');
  if (changes && CHANGES.has(name))
    return new Callable(name, () => {
      throw new TemplateError(`${typeName(value)} cannot be changed: use a namespace, or "+"`);
    });
  if (value instanceof Dict) return bound(value, DICT);
  return value instanceof Sequence && value.isIndexed ? bound(value, SEQUENCE) : undefined;
}

function loopMember(loop: Loop, name: string): Value | undefined {
  const { items, index, depth } = loop;
  switch (name) {
    case 'index':
      return index + 1;
    case 'index0':
      return index;
    case 'revindex':
      return items.length - index;
    case 'revindex0':
      return items.length - index - 1;
    case 'first':
      return index === 0;
    case 'last':
      return index === items.length - 1;
    case 'length':
      return items.length;
    case 'depth':
      return depth + 1;
    case 'depth0':
      return depth;
    case 'previtem':
      return items[index - 1];
    case 'nextitem':
      return items[index + 1];
    case 'cycle':
      return new Callable(name, ({ positional }) => {
        if (positional.length === 0) throw new TemplateError('loop.cycle needs values');
        return positional[index % positional.length];
      });
    case 'changed':
      return new Callable(name, ({ positional }) => {
        const { last } = loop;
        loop.last = positional;
        return (
          !last ||
          last.length !== positional.length ||
          last.some((value, i) => !isEqual(value, positional[i]))
        );
      });
  }
  return undefined;
}
