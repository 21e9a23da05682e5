import type { Budget } from './render-budget';
import { percentFormat } from './jinja-format';
import { characterAt, characters } from './python-text';
import { TemplateError } from './template-error';
import {
  asNumber,
  Dict,
  Float,
  isEqual,
  itemsOf,
  list,
  Namespace,
  order,
  Sequence,
  tuple,
  typeName,
  Undefined,
  weightOf,
  type Value,
} from './jinja-values';

/** A whole number. @throws TemplateError beyond 2^53, where Python would still be exact */
function whole(value: number): number {
  if (!Number.isSafeInteger(value)) throw new TemplateError(`${value} is too large`);
  return value === 0 ? 0 : value;
}

/** + - * / // % ** as in Python. */
export function binary(operator: string, a: Value, b: Value, budget: Budget): Value {
  for (const operand of [a, b]) if (operand instanceof Undefined) operand.fail();
  if (operator === '+' && typeof a === 'string' && typeof b === 'string') {
    budget.build(a.length + b.length);
    return a + b;
  }
  if (operator === '%' && typeof a === 'string') {
    const text = percentFormat(a, b);
    budget.build(text.length);
    return text;
  }
  if (a instanceof Sequence && b instanceof Sequence && operator === '+' && a.kind === b.kind) {
    const [first, second] = [a.items, b.items];
    budget.build(first.length + second.length);
    if (a.kind === 'list' || a.kind === 'tuple') return new Sequence(a.kind, [...first, ...second]);
  }
  if (operator === '*') {
    const repeated = repeat(a, b, budget) ?? repeat(b, a, budget);
    if (repeated !== undefined) return repeated;
  }
  const [x, y] = [asNumber(a), asNumber(b)];
  if (x === undefined || y === undefined)
    throw new TemplateError(`"${operator}" does not work on ${typeName(a)} and ${typeName(b)}`);
  return arithmetic(operator, x, y, !(a instanceof Float) && !(b instanceof Float));
}

function repeat(value: Value, times: Value, budget: Budget): Value | undefined {
  if (typeof times !== 'number' && typeof times !== 'boolean') return undefined;
  const count = Math.max(0, Number(times));
  if (typeof value === 'string') {
    budget.build(value.length * count);
    return value.repeat(value === '' ? 0 : count);
  }
  if (!(value instanceof Sequence) || (value.kind !== 'list' && value.kind !== 'tuple')) return undefined;
  const { items } = value;
  budget.build(items.length * count);
  const all = Array.from({ length: items.length === 0 ? 0 : count }, () => items).flat();
  return new Sequence(value.kind, all);
}

function arithmetic(operator: string, x: number, y: number, integers: boolean): Value {
  if (y === 0 && ['/', '//', '%'].includes(operator)) throw new TemplateError('division by zero');
  const result = (): number => {
    switch (operator) {
      case '+':
        return x + y;
      case '-':
        return x - y;
      case '*':
        return x * y;
      case '/':
        return x / y;
      case '//':
        return Math.floor(x / y);
      case '%':
        // Python's remainder has the sign of the divisor.
        return x - y * Math.floor(x / y);
      default:
        return x ** y;
    }
  };
  const isInteger = integers && operator !== '/' && !(operator === '**' && y < 0);
  const value = result();
  if (isInteger) return whole(value);
  if (Number.isNaN(value) || !Number.isFinite(value)) throw new TemplateError('the result is not a number');
  return new Float(value);
}

export function signed(operator: '+' | '-', value: Value): Value {
  if (value instanceof Undefined) value.fail();
  const number = asNumber(value);
  if (number === undefined) throw new TemplateError(`"${operator}" does not work on ${typeName(value)}`);
  const result = operator === '-' ? -number : number;
  return value instanceof Float ? new Float(result) : whole(result);
}

/** == != < <= > >= in, not in */
export function compare(operator: string, a: Value, b: Value, budget: Budget): boolean {
  budget.read(64 + Math.min(weightOf(a), weightOf(b)));
  switch (operator) {
    case '==':
      return isEqual(a, b);
    case '!=':
      return !isEqual(a, b);
    case 'in':
      return contains(b, a, budget);
    case 'not in':
      return !contains(b, a, budget);
  }
  for (const operand of [a, b]) if (operand instanceof Undefined) operand.fail();
  const difference = order(a, b);
  if (operator === '<') return difference < 0;
  if (operator === '<=') return difference <= 0;
  return operator === '>' ? difference > 0 : difference >= 0;
}

function contains(container: Value, wanted: Value, budget: Budget): boolean {
  if (typeof container === 'string') {
    if (typeof wanted !== 'string')
      throw new TemplateError(`"in" needs a string on its left, not ${typeName(wanted)}`);
    searched(container, wanted, budget);
    return container.includes(wanted);
  }
  if (container instanceof Dict) return container.has(wanted);
  const items = itemsOf(container);
  budget.step(items.length);
  budget.read(Math.min(weightOf(wanted) * items.length, weightOf(container)));
  return items.some((item) => isEqual(item, wanted));
}

/** Counts a search for one text in another, which takes longer for long texts that repeat themselves. */
export function searched(text: string, wanted: string, budget: Budget): void {
  budget.step(1 + (text.length >> 6) * (1 + (wanted.length >> 6)));
}

/** object[key], without members; undefined where there is none. */
export function itemAt(object: Value, key: Value, budget: Budget): Value | undefined {
  budget.read(16 * weightOf(key) + (typeof object === 'string' ? object.length : 0));
  if (object instanceof Dict) return object.get(key);
  const index = typeof key === 'boolean' ? Number(key) : key;
  if (typeof index !== 'number') return undefined;
  if (typeof object === 'string') return characterAt(object, index);
  return object instanceof Sequence && object.isIndexed ? object.items.at(index) : undefined;
}

/** object[start:stop:step]. @throws TemplateError for values that cannot be sliced */
export function sliced(object: Value, bounds: (Value | undefined)[], budget: Budget): Value {
  if (object instanceof Undefined) object.fail();
  if (typeof object !== 'string' && !(object instanceof Sequence && object.isIndexed))
    throw new TemplateError(`${typeName(object)} cannot be sliced`);
  const items: readonly (Value | string)[] = typeof object === 'string' ? characters(object) : object.items;
  budget.build(items.length);
  const [start, stop, step = 1] = bounds.map((bound) => {
    if (bound === undefined || bound === null) return undefined;
    if (typeof bound !== 'number') throw new TemplateError('the bounds of a slice must be whole numbers');
    return bound;
  });
  if (step === 0) throw new TemplateError('the step of a slice must not be zero');
  const size = items.length;
  const clamp = (at: number): number =>
    Math.max(step < 0 ? -1 : 0, Math.min(at < 0 ? at + size : at, step < 0 ? size - 1 : size));
  const from = start === undefined ? (step < 0 ? size - 1 : 0) : clamp(start);
  const to = stop === undefined ? (step < 0 ? -1 : size) : clamp(stop);
  const picked: Value[] = [];
  for (let i = from; step < 0 ? i > to : i < to; i += step) picked.push(items[i] as Value);
  if (typeof object === 'string') return picked.join('');
  return object.kind === 'tuple' ? tuple(picked) : list(picked);
}

/** Sets an attribute; only namespaces have any that can be set. */
export function setMember(object: Value, attribute: string, value: Value): void {
  if (!(object instanceof Namespace)) throw new TemplateError('only attributes of a namespace can be set');
  object.members.set(attribute, value);
}
