import type { Budget } from './render-budget';
import { isLower, isUpper } from './string-methods';
import { compare } from './operators';
import { TemplateError } from './template-error';
import {
  asNumber,
  Callable,
  Dict,
  Float,
  Loop,
  Sequence,
  toText,
  typeName,
  Undefined,
  type Value,
} from './jinja-values';

type Test = (value: Value, argument: Value | undefined, budget: Budget) => boolean;

const integerOf = (name: string, value: Value): number => {
  if (value instanceof Undefined) value.fail();
  const number = asNumber(value);
  if (number === undefined) throw new TemplateError(`"is ${name}" needs a number, not ${typeName(value)}`);
  return number;
};

const compares =
  (operator: string): Test =>
  (value, argument, budget) => {
    if (argument === undefined) throw new TemplateError(`the test "${operator}" needs a value`);
    return compare(operator, value, argument, budget);
  };

const isInteger = (value: Value): value is number => typeof value === 'number';

const BASIC: Record<string, Test> = {
  boolean: (value) => typeof value === 'boolean',
  callable: (value) => value instanceof Callable || value instanceof Undefined,
  defined: (value) => !(value instanceof Undefined),
  divisibleby: (value, argument) => {
    const by = integerOf('divisibleby', argument === undefined ? null : argument);
    if (by === 0) throw new TemplateError('division by zero');
    return integerOf('divisibleby', value) % by === 0;
  },
  escaped: () => false,
  even: (value) => integerOf('even', value) % 2 === 0,
  false: (value) => value === false,
  float: (value) => value instanceof Float,
  integer: isInteger,
  iterable: (value) =>
    typeof value === 'string' ||
    value instanceof Sequence ||
    value instanceof Dict ||
    value instanceof Undefined ||
    value instanceof Loop,
  lower: (value) => isLower(toText(value)),
  mapping: (value) => value instanceof Dict,
  none: (value) => value === null,
  number: (value) => asNumber(value) !== undefined,
  odd: (value) => Math.abs(integerOf('odd', value) % 2) === 1,
  sameas: (value, argument) => value === argument,
  sequence: (value) =>
    typeof value === 'string' || value instanceof Dict || (value instanceof Sequence && value.isIndexed),
  string: (value) => typeof value === 'string',
  true: (value) => value === true,
  undefined: (value) => value instanceof Undefined,
  upper: (value) => isUpper(toText(value)),
};

const COMPARISONS: Record<string, string> = {
  eq: '==', equalto: '==', '==': '==', ne: '!=', '!=': '!=', lt: '<', lessthan: '<', '<': '<', le: '<=', '<=': '<=',
  gt: '>', greaterthan: '>', '>': '>', ge: '>=', '>=': '>=', in: 'in',
}; // prettier-ignore

/** @throws TemplateError for a test that Jinja or this program does not have */
export function testNamed(name: string): Test {
  if (Object.hasOwn(BASIC, name)) return BASIC[name];
  if (Object.hasOwn(COMPARISONS, name)) return compares(COMPARISONS[name]);
  throw new TemplateError(`the test "${name}" is not supported`);
}
