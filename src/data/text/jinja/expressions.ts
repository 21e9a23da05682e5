import { digits, type Tokens } from './lexer';
import type { ArgumentNodes, Expression } from './syntax-nodes';
import { Float, type Value } from './jinja-values';

/** Parses an expression, in Jinja's order of precedence. */
export const expression = (tokens: Tokens): Expression => tokens.nested(() => conditional(tokens));

function conditional(tokens: Tokens): Expression {
  let yes = or(tokens);
  while (tokens.is('name', 'if')) {
    const { line } = tokens.next();
    const test = or(tokens);
    const no = tokens.skip('name', 'else') ? expression(tokens) : undefined;
    yes = { kind: 'conditional', line, test, yes, no };
  }
  return yes;
}

/** An expression without "if", or several with commas between them. */
export function unconditional(tokens: Tokens): Expression {
  const { line } = tokens;
  const items = [or(tokens)];
  while (tokens.skip('operator', ',')) items.push(or(tokens));
  return items.length === 1 ? items[0] : { kind: 'tuple', line, items };
}

function or(tokens: Tokens): Expression {
  let left = and(tokens);
  while (tokens.is('name', 'or')) {
    const { line } = tokens.next();
    left = { kind: 'or', line, left, right: and(tokens) };
  }
  return left;
}

function and(tokens: Tokens): Expression {
  let left = not(tokens);
  while (tokens.is('name', 'and')) {
    const { line } = tokens.next();
    left = { kind: 'and', line, left, right: not(tokens) };
  }
  return left;
}

function not(tokens: Tokens): Expression {
  if (!tokens.is('name', 'not')) return compare(tokens);
  const { line } = tokens.next();
  return { kind: 'not', line, operand: tokens.nested(() => not(tokens)) };
}

function compare(tokens: Tokens): Expression {
  const { line } = tokens;
  const first = sum(tokens);
  const rest: [string, Expression][] = [];
  for (;;) {
    if (tokens.is('operator', '==', '!=', '<', '<=', '>', '>=') || tokens.is('name', 'in'))
      rest.push([tokens.next().value, sum(tokens)]);
    else if (tokens.is('name', 'not') && tokens.look().type === 'name' && tokens.look().value === 'in') {
      tokens.next();
      tokens.next();
      rest.push(['not in', sum(tokens)]);
    } else return rest.length === 0 ? first : { kind: 'compare', line, first, rest };
  }
}

const binary =
  (operators: string[], operand: (tokens: Tokens) => Expression) =>
  (tokens: Tokens): Expression => {
    let left = operand(tokens);
    while (tokens.is('operator', ...operators)) {
      const { line, value: operator } = tokens.next();
      left = { kind: 'binary', line, operator, left, right: operand(tokens) };
    }
    return left;
  };

const power = binary(['**'], (tokens) => unary(tokens, true));
const product = binary(['*', '/', '//', '%'], power);
const sum = binary(['+', '-'], concat);

function concat(tokens: Tokens): Expression {
  const { line } = tokens;
  const parts = [product(tokens)];
  while (tokens.skip('operator', '~')) parts.push(product(tokens));
  return parts.length === 1 ? parts[0] : { kind: 'concat', line, parts };
}

function unary(tokens: Tokens, filtered: boolean): Expression {
  let node: Expression;
  if (tokens.is('operator', '-', '+')) {
    const { line, value } = tokens.next();
    const operand = tokens.nested(() => unary(tokens, false));
    node = { kind: 'sign', line, operator: value as '+' | '-', operand };
  } else node = primary(tokens);
  node = postfix(tokens, node);
  return filtered ? filtersAndTests(tokens, node) : node;
}

function postfix(tokens: Tokens, start: Expression): Expression {
  let node = start;
  while (tokens.is('operator', '.', '[', '('))
    node = tokens.is('operator', '(')
      ? { kind: 'call', line: tokens.line, callee: node, args: callArguments(tokens) }
      : subscript(tokens, node);
  return node;
}

function filtersAndTests(tokens: Tokens, start: Expression): Expression {
  let node = start;
  for (;;) {
    if (tokens.is('operator', '|')) node = filterChain(tokens, node);
    else if (tokens.is('name', 'is')) node = test(tokens, node);
    else if (tokens.is('operator', '('))
      node = { kind: 'call', line: tokens.line, callee: node, args: callArguments(tokens) };
    else return node;
  }
}

const NO_ARGUMENTS: ArgumentNodes = { positional: [], named: [] };

/** @param operand the filtered expression; undefined for the body of a block, whose first filter has no bar before it */
export function filterChain(tokens: Tokens, operand: Expression | undefined): Expression {
  let node = operand;
  while (node === undefined || tokens.is('operator', '|')) {
    if (node !== undefined) tokens.next();
    const { line } = tokens;
    const name = dotted(tokens);
    const args = tokens.is('operator', '(') ? callArguments(tokens) : NO_ARGUMENTS;
    node = { kind: 'filter', line, operand: node, name, args };
  }
  return node;
}

function dotted(tokens: Tokens): string {
  let name = tokens.expect('name').value;
  while (tokens.skip('operator', '.')) name += `.${tokens.expect('name').value}`;
  return name;
}

function test(tokens: Tokens, operand: Expression): Expression {
  const { line } = tokens.next();
  const negated = tokens.skip('name', 'not');
  const name = dotted(tokens);
  let args = NO_ARGUMENTS;
  if (tokens.is('operator', '(')) args = callArguments(tokens);
  else if (
    (tokens.is('name') && !tokens.is('name', 'else', 'or', 'and')) ||
    tokens.is('string') ||
    tokens.is('integer') ||
    tokens.is('float') ||
    tokens.is('operator', '[', '{')
  ) {
    if (tokens.is('name', 'is')) tokens.fail('tests cannot be chained with "is"');
    args = { positional: [postfix(tokens, primary(tokens))], named: [] };
  }
  const node: Expression = { kind: 'test', line, operand, name, args };
  return negated ? { kind: 'not', line, operand: node } : node;
}

function subscript(tokens: Tokens, object: Expression): Expression {
  const { line, value } = tokens.next();
  if (value === '.') {
    if (tokens.is('integer'))
      return { kind: 'item', line, object, key: constant(line, integer(tokens.next().value)) };
    return { kind: 'attribute', line, object, name: tokens.expect('name').value };
  }
  const first = tokens.is('operator', ':') ? undefined : expression(tokens);
  if (!tokens.is('operator', ':')) {
    const key = first && tokens.is('operator', ',') ? restOfTuple(tokens, first, ']') : first!;
    tokens.expect('operator', ']');
    return { kind: 'item', line, object, key };
  }
  const part = (): Expression | undefined =>
    tokens.skip('operator', ':') && !tokens.is('operator', ':', ']') ? expression(tokens) : undefined;
  const [stop, step] = [part(), part()];
  tokens.expect('operator', ']');
  const slice = { start: first, stop, step };
  return { kind: 'slice', line, object, slice };
}

/** @throws TemplateError where arguments stand in an order that Python refuses */
export function callArguments(tokens: Tokens): ArgumentNodes {
  const args: ArgumentNodes = { positional: [], named: [] };
  tokens.expect('operator', '(');
  while (!tokens.skip('operator', ')')) {
    if (tokens.skip('operator', '*')) {
      if (args.rest) tokens.fail('only one "*" is allowed');
      args.rest = expression(tokens);
    } else if (tokens.skip('operator', '**')) {
      if (args.keywords) tokens.fail('only one "**" is allowed');
      args.keywords = expression(tokens);
    } else if (tokens.is('name') && tokens.look().type === 'operator' && tokens.look().value === '=') {
      const name = tokens.next().value;
      tokens.next();
      if (args.keywords) tokens.fail('"**" must come last');
      args.named.push([name, expression(tokens)]);
    } else {
      if (args.named.length > 0 || args.rest || args.keywords)
        tokens.fail('positional arguments come before named ones');
      args.positional.push(expression(tokens));
    }
    if (!tokens.is('operator', ')')) tokens.expect('operator', ',');
  }
  return args;
}

const constant = (line: number, value: Value): Expression => ({ kind: 'constant', line, value });

const CONSTANTS = new Map<string, Value>([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['none', null],
  ['None', null],
]);

function integer(text: string): number {
  return Number(digits(text));
}

function primary(tokens: Tokens): Expression {
  const { type, value, line } = tokens.current;
  if (type === 'name') {
    tokens.next();
    return CONSTANTS.has(value) ? constant(line, CONSTANTS.get(value)!) : { kind: 'name', line, name: value };
  }
  if (type === 'string') {
    let text = '';
    while (tokens.is('string')) text += tokens.next().value;
    return constant(line, text);
  }
  if (type === 'integer' || type === 'float') {
    tokens.next();
    if (type === 'float') return constant(line, new Float(Number(digits(value))));
    if (!Number.isSafeInteger(integer(value))) tokens.fail(`${value} is too large`);
    return constant(line, integer(value));
  }
  if (tokens.skip('operator', '(')) {
    const inside = tupleOrValue(tokens, ')');
    tokens.expect('operator', ')');
    return inside;
  }
  if (tokens.skip('operator', '[')) {
    const items: Expression[] = [];
    while (!tokens.skip('operator', ']')) {
      items.push(expression(tokens));
      if (!tokens.is('operator', ']')) tokens.expect('operator', ',');
    }
    return { kind: 'list', line, items };
  }
  if (tokens.skip('operator', '{')) {
    const pairs: [Expression, Expression][] = [];
    while (!tokens.skip('operator', '}')) {
      const key = expression(tokens);
      tokens.expect('operator', ':');
      pairs.push([key, expression(tokens)]);
      if (!tokens.is('operator', '}')) tokens.expect('operator', ',');
    }
    return { kind: 'dict', line, pairs };
  }
  return tokens.fail(`expected a value, got ${tokens.found()}`);
}

/** A value, or several with commas between them. @param end the bracket that ends it; undefined for a tag's end */
export function tupleOrValue(tokens: Tokens, end?: string): Expression {
  const { line } = tokens;
  if (end !== undefined && tokens.is('operator', end)) return { kind: 'tuple', line, items: [] };
  const first = expression(tokens);
  return tokens.is('operator', ',') ? restOfTuple(tokens, first, end) : first;
}

function restOfTuple(tokens: Tokens, first: Expression, end?: string): Expression {
  const items = [first];
  while (tokens.skip('operator', ',')) {
    if (tokens.is('close') || tokens.is('operator', '=') || (end && tokens.is('operator', end))) break;
    items.push(expression(tokens));
  }
  return { kind: 'tuple', line: first.line, items };
}
