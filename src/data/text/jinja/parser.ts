import { callArguments, expression, filterChain, tupleOrValue, unconditional } from './expressions';
import type { Expression, Parameter, Statement, Target } from './syntax-nodes';
import { Tokens } from './lexer';

/** A template's statements. @throws TemplateError with the line of the mistake */
export function parse(template: string): Statement[] {
  const tokens = new Tokens(template);
  return body(tokens);
}

/** Statements up to a tag with one of these names, which is not read; without names, up to the end. */
function body(tokens: Tokens, ...ends: string[]): Statement[] {
  const statements: Statement[] = [];
  for (;;) {
    const { line } = tokens;
    if (tokens.is('end')) {
      if (ends.length > 0) tokens.fail(`{% ${ends.at(-1)} %} is missing`);
      return statements;
    }
    if (tokens.is('text')) statements.push({ kind: 'text', line, text: tokens.next().value });
    else if (tokens.is('open', '{{')) {
      tokens.next();
      statements.push({ kind: 'output', line, value: tupleOrValue(tokens) });
      tokens.expect('close');
    } else {
      if (ends.includes(tokens.look().value) && tokens.look().type === 'name') return statements;
      tokens.expect('open');
      statements.push(tokens.nested(() => tag(tokens, line)));
    }
  }
}

/** The body of a tag whose own end is read too. */
function closed(tokens: Tokens, end: string): Statement[] {
  tokens.expect('close');
  const statements = body(tokens, end);
  endTag(tokens, end);
  return statements;
}

function endTag(tokens: Tokens, name: string): void {
  tokens.expect('open');
  tokens.expect('name', name);
  // {% endblock name %} and {% endmacro name %} repeat the name.
  if (name === 'endblock' || name === 'endmacro') tokens.skip('name');
  tokens.expect('close');
}

function tag(tokens: Tokens, line: number): Statement {
  if (!tokens.is('name')) tokens.fail(`expected the name of a tag, got ${tokens.found()}`);
  const name = tokens.next().value;
  switch (name) {
    case 'for':
      return forTag(tokens, line);
    case 'if':
      return ifTag(tokens, line);
    case 'set':
      return setTag(tokens, line);
    case 'macro': {
      const macro = tokens.expect('name').value;
      return {
        kind: 'macro',
        line,
        name: macro,
        parameters: signature(tokens),
        body: closed(tokens, 'endmacro'),
      };
    }
    case 'call': {
      const parameters = tokens.is('operator', '(') ? signature(tokens) : [];
      const call = expression(tokens);
      if (call.kind !== 'call') tokens.fail('{% call %} needs a call');
      return { kind: 'callBlock', line, call, parameters, body: closed(tokens, 'endcall') };
    }
    case 'filter':
      return {
        kind: 'filterBlock',
        line,
        filter: filterChain(tokens, undefined),
        body: closed(tokens, 'endfilter'),
      };
    case 'with': {
      const bindings: [Target, Expression][] = [];
      while (!tokens.is('close')) {
        if (bindings.length > 0) tokens.expect('operator', ',');
        const to = target(tokens);
        tokens.expect('operator', '=');
        bindings.push([to, expression(tokens)]);
      }
      return { kind: 'with', line, bindings, body: closed(tokens, 'endwith') };
    }
    case 'block':
      tokens.expect('name');
      return { kind: 'scope', line, body: closed(tokens, 'endblock') };
    case 'generation':
      return { kind: 'generation', line, body: closed(tokens, 'endgeneration') };
    case 'break':
    case 'continue':
      tokens.expect('close');
      return { kind: name, line };
    default:
      return tokens.fail(`the tag {% ${name} %} is not supported`);
  }
}

function forTag(tokens: Tokens, line: number): Statement {
  const to = target(tokens);
  tokens.expect('name', 'in');
  // The "if" of a loop filters, so the items are not a conditional expression.
  const items = unconditional(tokens);
  const filter = tokens.skip('name', 'if') ? expression(tokens) : undefined;
  const recursive = tokens.skip('name', 'recursive');
  tokens.expect('close');
  const loop = body(tokens, 'else', 'endfor');
  const otherwise = elseBody(tokens, 'endfor');
  return {
    kind: 'for',
    line,
    target: to,
    items,
    filter,
    recursive,
    body: loop,
    otherwise,
  };
}

function elseBody(tokens: Tokens, end: string): Statement[] {
  let otherwise: Statement[] = [];
  if (tokens.look().value === 'else') {
    tokens.next();
    tokens.next();
    tokens.expect('close');
    otherwise = body(tokens, end);
  }
  endTag(tokens, end);
  return otherwise;
}

function ifTag(tokens: Tokens, line: number): Statement {
  const branches: { test: Expression; body: Statement[] }[] = [];
  do {
    const test = tupleOrValue(tokens);
    tokens.expect('close');
    branches.push({ test, body: body(tokens, 'elif', 'else', 'endif') });
  } while (tokens.look().value === 'elif' && tokens.next() && tokens.next());
  return { kind: 'if', line, branches, otherwise: elseBody(tokens, 'endif') };
}

function setTag(tokens: Tokens, line: number): Statement {
  const to = target(tokens);
  if (tokens.skip('operator', '=')) {
    const value = tupleOrValue(tokens);
    tokens.expect('close');
    return { kind: 'set', line, target: to, value };
  }
  const filter = tokens.skip('operator', '|') ? filterChain(tokens, undefined) : undefined;
  return { kind: 'capture', line, target: to, filter, body: closed(tokens, 'endset') };
}

function target(tokens: Tokens): Target {
  const first = oneTarget(tokens);
  if (!tokens.is('operator', ',')) return first;
  const items = [first];
  while (tokens.skip('operator', ',') && (tokens.is('name') || tokens.is('operator', '(')))
    if (!tokens.is('name', 'in')) items.push(oneTarget(tokens));
  return { kind: 'tuple', items };
}

function oneTarget(tokens: Tokens): Target {
  if (tokens.skip('operator', '(')) {
    const inside = tokens.nested(() => target(tokens));
    tokens.expect('operator', ')');
    return inside;
  }
  const name = tokens.expect('name').value;
  if (!tokens.skip('operator', '.')) return { kind: 'name', name };
  return { kind: 'member', name, attribute: tokens.expect('name').value };
}

function signature(tokens: Tokens): Parameter[] {
  const { positional, named, rest, keywords } = callArguments(tokens);
  if (rest || keywords) tokens.fail('"*" cannot be used in a signature');
  const plain = positional.map((node) =>
    node.kind === 'name' ? { name: node.name } : tokens.fail('parameters are names'),
  );
  return [...plain, ...named.map(([name, fallback]) => ({ name, fallback }))];
}
