import { characters, quoted, textLength } from './python-text';
import { TemplateError } from './template-error';

/** A value of a template. Whole numbers are JavaScript's, Python's float is a `Float`. */
export type Value =
  null | boolean | number | string | Float | Sequence | Dict | Namespace | Callable | Undefined | Loop;

export class Float {
  constructor(readonly value: number) {}
}

/** A generator and a reversed list can be read once; they have no length, and are true even if empty. */
export type SequenceKind =
  'list' | 'tuple' | 'range' | 'dict_keys' | 'dict_values' | 'dict_items' | 'generator';

export class Sequence {
  private spent = false;
  readonly weight: number;
  constructor(
    readonly kind: SequenceKind,
    private readonly all: Value[],
    /** The string that a range is written as. */
    readonly shown?: string,
  ) {
    this.weight = limited(all.reduce<number>((sum, item) => sum + weightOf(item), 1));
  }

  /** Its items. A generator's items are handed out once, as in Python. */
  get items(): Value[] {
    if (this.kind !== 'generator') return this.all;
    if (this.spent) return [];
    this.spent = true;
    return this.all;
  }

  get isIndexed(): boolean {
    return this.kind === 'list' || this.kind === 'tuple' || this.kind === 'range';
  }
}

export const list = (items: Value[]): Sequence => new Sequence('list', items);
export const tuple = (items: Value[]): Sequence => new Sequence('tuple', items);
export const generator = (items: Value[]): Sequence => new Sequence('generator', items);

/** Keys may be of any type that Python can hash: 1, 1.0 and True are one key. */
export class Dict {
  private readonly pairs = new Map<string, [Value, Value]>();
  weight = 1;
  constructor(pairs: Iterable<[Value, Value]> = []) {
    for (const [key, value] of pairs) this.set(key, value);
  }
  get(key: Value): Value | undefined {
    return this.pairs.get(hash(key))?.[1];
  }
  has(key: Value): boolean {
    return this.pairs.has(hash(key));
  }
  set(key: Value, value: Value): void {
    const id = hash(key);
    const known = this.pairs.get(id);
    this.weight = limited(this.weight + weightOf(key) + weightOf(value));
    this.pairs.set(id, [known ? known[0] : key, value]);
  }
  get size(): number {
    return this.pairs.size;
  }
  entries(): [Value, Value][] {
    return [...this.pairs.values()];
  }
}

/** The most characters and items of a list or a dict, those of its items included. */
const HEAVIEST = 16_000_000;

/** The number of characters and items that reading all of a value takes. A value that is in it twice counts twice. */
export const weightOf = (value: Value): number =>
  typeof value === 'string'
    ? value.length + 1
    : value instanceof Sequence || value instanceof Dict
      ? value.weight
      : 1;

function limited(weight: number): number {
  if (weight > HEAVIEST)
    throw new TemplateError(
      `a list or a dict has more than ${HEAVIEST.toLocaleString('en')} characters and items`,
    );
  return weight;
}

export class Namespace {
  constructor(readonly members: Map<string, Value>) {}
}

/** Evaluated arguments. */
export interface Arguments {
  positional: Value[];
  named: Map<string, Value>;
}

export class Callable {
  constructor(
    readonly name: string,
    readonly call: (args: Arguments) => Value,
  ) {}
}

/** A name or a member that does not exist: reads as nothing, and fails where anything is done with it. */
export class Undefined {
  constructor(readonly what: string) {}
  fail(): never {
    throw new TemplateError(`${this.what} is undefined`);
  }
}

/** The variable `loop`. */
export class Loop {
  last: Value[] | undefined;
  constructor(
    readonly items: Value[],
    public index: number,
    readonly depth: number,
    readonly recurse?: (items: Value) => string,
  ) {}
}

/** A key's identity. @throws TemplateError for a value that Python cannot hash */
export function hash(key: Value): string {
  if (typeof key === 'string') return `s${key}`;
  const number = asNumber(key);
  if (number !== undefined) return `n${number}`;
  if (key === null) return 'N';
  if (key instanceof Sequence && key.kind === 'tuple') return `t${JSON.stringify(key.items.map(hash))}`;
  throw new TemplateError(`unhashable type: ${typeName(key)}`);
}

/** Integers, floats and booleans; undefined for anything else. */
export const asNumber = (value: Value): number | undefined =>
  typeof value === 'number'
    ? value
    : typeof value === 'boolean'
      ? Number(value)
      : value instanceof Float
        ? value.value
        : undefined;

export function typeName(value: Value): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return 'int';
  if (typeof value === 'string') return 'str';
  if (value instanceof Float) return 'float';
  if (value instanceof Sequence) return value.kind;
  if (value instanceof Dict) return 'dict';
  if (value instanceof Namespace) return 'namespace';
  if (value instanceof Callable) return 'function';
  return value instanceof Loop ? 'loop' : 'undefined';
}

/** `??` for values: it would take None, which is null, for a value that is missing. */
export const orElse = (value: Value | undefined, fallback: () => Value): Value =>
  value === undefined ? fallback() : value;

export function isTrue(value: Value): boolean {
  if (value === null || value instanceof Undefined) return false;
  if (typeof value === 'string') return value !== '';
  if (value instanceof Sequence) return value.kind === 'generator' || value.items.length > 0;
  if (value instanceof Dict) return value.size > 0;
  const number = asNumber(value);
  return number === undefined || number !== 0;
}

/** == */
export function isEqual(a: Value, b: Value): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  const [x, y] = [asNumber(a), asNumber(b)];
  if (x !== undefined || y !== undefined) return x === y;
  if (a instanceof Undefined) return b instanceof Undefined;
  if (a instanceof Sequence && b instanceof Sequence)
    return (
      a === b ||
      (a.isIndexed &&
        a.kind === b.kind &&
        a.items.length === b.items.length &&
        a.items.every((item, i) => isEqual(item, b.items[i])))
    );
  if (a instanceof Dict && b instanceof Dict)
    return (
      a.size === b.size &&
      a.entries().every(([key, value]) => {
        const other = b.get(key);
        return other !== undefined && isEqual(value, other);
      })
    );
  return a === b;
}

/** Negative, zero or positive, as numbers, texts and lists are ordered. @throws TemplateError for other types */
export function order(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') return a === b ? 0 : byCodePoint(a, b);
  const [x, y] = [asNumber(a), asNumber(b)];
  if (x !== undefined && y !== undefined) return x - y;
  if (a instanceof Sequence && b instanceof Sequence && a.isIndexed && a.kind === b.kind) {
    for (let i = 0; i < Math.min(a.items.length, b.items.length); i++)
      if (!isEqual(a.items[i], b.items[i])) return order(a.items[i], b.items[i]);
    return a.items.length - b.items.length;
  }
  throw new TemplateError(`${typeName(a)} and ${typeName(b)} cannot be compared`);
}

/** UTF-16 units order characters above U+FFFF before U+E000. */
function byCodePoint(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  if (at === a.length || at === b.length) return a.length - b.length;
  const isTrailing = /[\udc00-\udfff]/.test(a[at]) || /[\udc00-\udfff]/.test(b[at]);
  const start = isTrailing && at > 0 ? at - 1 : at;
  return a.codePointAt(start)! - b.codePointAt(start)!;
}

/** The items that a loop runs over. @throws TemplateError for a value without items */
export function itemsOf(value: Value): Value[] {
  if (value instanceof Sequence) return value.items;
  if (typeof value === 'string') return characters(value);
  if (value instanceof Dict) return value.entries().map(([key]) => key);
  if (value instanceof Undefined) return [];
  throw new TemplateError(`${typeName(value)} is not iterable`);
}

/** len(value). @throws TemplateError for a value without a length */
export function lengthOf(value: Value): number {
  if (typeof value === 'string') return textLength(value);
  if (value instanceof Dict) return value.size;
  if (value instanceof Sequence && value.kind !== 'generator') return value.items.length;
  if (value instanceof Undefined) return 0;
  throw new TemplateError(`${typeName(value)} has no length`);
}

/** str(value) */
export function toText(value: Value): string {
  if (typeof value === 'string') return value;
  if (value instanceof Undefined) return '';
  return repr(value);
}

/** repr(value). @throws TemplateError for values whose text is an address in Python */
export function repr(value: Value): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return quoted(value);
  if (value instanceof Float) return floatText(value.value);
  if (value instanceof Undefined) return 'Undefined';
  if (value instanceof Dict) return dictText(value.entries());
  if (value instanceof Sequence && value.kind !== 'generator') {
    const items = value.items.map(repr).join(', ');
    if (value.kind === 'list') return `[${items}]`;
    if (value.kind === 'tuple') return value.items.length === 1 ? `(${items},)` : `(${items})`;
    return value.shown ?? `${value.kind}([${items}])`;
  }
  throw new TemplateError(`${typeName(value)} cannot be written as text`);
}

const dictText = (pairs: [Value, Value][]): string =>
  `{${pairs.map(([key, value]) => `${repr(key)}: ${repr(value)}`).join(', ')}}`;

/** repr(float): as short as possible, with an exponent below 1e-4 and from 1e16. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    const [mantissa, exponent] = value.toExponential().split('e');
    return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
  }
  const text = Object.is(value, -0) ? '-0' : String(value);
  return text.includes('.') ? text : `${text}.0`;
}
