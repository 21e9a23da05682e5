import { Budget } from './render-budget';
import { filterNamed, walksItems } from './filters';
import { globals } from './globals';
import { memberOf } from './string-methods';
import type { ArgumentNodes, Expression, Parameter, Statement, Target } from './syntax-nodes';
import { binary, compare, itemAt, setMember, signed, sliced } from './operators';
import { TemplateError } from './template-error';
import { Output, Scope } from './scope';
import { testNamed } from './tests';
import type { Tools } from './tools';
import {
  Callable,
  Dict,
  isTrue,
  itemsOf,
  list,
  Loop,
  orElse,
  toText,
  tuple,
  typeName,
  Undefined,
  weightOf,
  type Arguments,
  type Value,
} from './jinja-values';

/** A conversation as text, and the [start, end) of the parts in {% generation %}, in UTF-16 units. */
export interface Rendered {
  text: string;
  generations: [number, number][];
}

class Break extends Error {}
class Continue extends Error {}
const BREAK = new Break();
const CONTINUE = new Continue();

/** @throws TemplateError with the line that was being evaluated */
export function render(statements: readonly Statement[], variables: Iterable<[string, Value]>): Rendered {
  const renderer = new Renderer(variables);
  try {
    return renderer.all(statements);
  } catch (cause) {
    if (cause instanceof TemplateError) {
      cause.line ??= renderer.line;
      throw cause;
    }
    // The stack is full, or a string longer than JavaScript's longest.
    if (cause instanceof RangeError) throw new TemplateError('it is nested too deeply', renderer.line);
    throw cause;
  }
}

class Renderer {
  line = 1;
  private readonly budget = new Budget();
  private readonly top = new Scope(new Scope());
  private readonly root = new Output();
  private readonly generations: [number, number][] = [];
  private readonly tools: Tools = {
    budget: this.budget,
    attribute: (object, path) => this.path(object, path),
    filter: (name, value, args) => this.filtered(name, value, args),
    test: (name, value, args) => this.tested(name, value, args),
  };

  constructor(variables: Iterable<[string, Value]>) {
    for (const [name, value] of globals(this.budget)) this.top.outer!.own.set(name, value);
    for (const [name, value] of variables) this.top.own.set(name, value);
  }

  all(statements: readonly Statement[]): Rendered {
    try {
      this.run(statements, this.top, this.root);
    } catch (cause) {
      if (cause === BREAK || cause === CONTINUE)
        throw new TemplateError('{% break %} and {% continue %} need a loop');
      throw cause;
    }
    return { text: this.root.text, generations: this.generations };
  }

  private run(statements: readonly Statement[], scope: Scope, output: Output): void {
    for (const statement of statements) {
      this.line = statement.line;
      this.budget.step();
      this.statement(statement, scope, output);
    }
  }

  private captured(statements: readonly Statement[], scope: Scope): string {
    const output = new Output();
    this.run(statements, scope, output);
    this.budget.build(output.size);
    return output.text;
  }

  private statement(statement: Statement, scope: Scope, output: Output): void {
    switch (statement.kind) {
      case 'text':
        return output.add(statement.text);
      case 'output':
        return output.add(this.text(this.value(statement.value, scope)));
      case 'if': {
        const branch = statement.branches.find(({ test }) => isTrue(this.value(test, scope)));
        return this.run(branch ? branch.body : statement.otherwise, scope, output);
      }
      case 'for':
        return this.loop(statement, this.value(statement.items, scope), scope, output, 0);
      case 'set':
        return this.assign(statement.target, this.value(statement.value, scope), scope);
      case 'capture': {
        const text = this.captured(statement.body, new Scope(scope));
        const value = statement.filter ? this.chained(statement.filter, text, scope) : text;
        return this.assign(statement.target, value, scope);
      }
      case 'macro':
        scope.own.set(
          statement.name,
          this.macro(statement.name, statement.parameters, statement.body, scope),
        );
        return;
      case 'callBlock': {
        const caller = this.macro('caller', statement.parameters, statement.body, scope);
        const { call } = statement;
        if (call.kind !== 'call') return;
        const args = this.arguments(call.args, scope);
        args.named.set('caller', caller);
        return output.add(toText(this.called(this.value(call.callee, scope), args)));
      }
      case 'filterBlock':
        return output.add(
          toText(this.chained(statement.filter, this.captured(statement.body, new Scope(scope)), scope)),
        );
      case 'with': {
        const inner = new Scope(scope);
        for (const [target, value] of statement.bindings)
          this.assign(target, this.value(value, scope), inner);
        return this.run(statement.body, inner, output);
      }
      case 'scope':
        return this.run(statement.body, new Scope(scope), output);
      case 'generation': {
        const start = output.size;
        this.run(statement.body, new Scope(scope), output);
        // Within a macro or a block that is filtered, where the text ends up is unknown.
        if (output === this.root && output.size > start) this.generations.push([start, output.size]);
        return;
      }
      case 'break':
        throw BREAK;
      case 'continue':
        throw CONTINUE;
    }
  }

  private loop(
    statement: Extract<Statement, { kind: 'for' }>,
    value: Value,
    scope: Scope,
    output: Output,
    depth: number,
  ): void {
    const { target, filter, body } = statement;
    let items = itemsOf(value);
    // A scope costs more than a node.
    this.budget.step(4 * items.length);
    if (filter)
      items = items.filter((item) => {
        const inner = new Scope(scope);
        this.assign(target, item, inner);
        return isTrue(this.value(filter, inner));
      });
    if (items.length === 0) return this.run(statement.otherwise, new Scope(scope), output);
    const again = (children: Value): string =>
      this.budget.nested(() => {
        const inside = new Output();
        this.loop(statement, children, scope, inside, depth + 1);
        this.budget.build(inside.size);
        return inside.text;
      });
    const loop = new Loop(items, 0, depth, statement.recursive ? again : undefined);
    for (let i = 0; i < items.length; i++) {
      loop.index = i;
      const inner = new Scope(scope);
      inner.own.set('loop', loop);
      this.assign(target, items[i], inner);
      try {
        this.run(body, inner, output);
      } catch (cause) {
        if (cause === BREAK) return;
        if (cause !== CONTINUE) throw cause;
      }
    }
  }

  private assign(target: Target, value: Value, scope: Scope): void {
    if (target.kind === 'name') scope.own.set(target.name, value);
    else if (target.kind === 'member') setMember(this.named(target.name, scope), target.attribute, value);
    else {
      const items = itemsOf(value);
      if (items.length !== target.items.length)
        throw new TemplateError(
          `${items.length} values cannot be unpacked into ${target.items.length} names`,
        );
      target.items.forEach((part, i) => this.assign(part, items[i], scope));
    }
  }

  private macro(name: string, parameters: Parameter[], body: Statement[], scope: Scope): Callable {
    return new Callable(name, ({ positional, named }) =>
      this.budget.nested(() => {
        const inner = new Scope(scope);
        const rest = new Map(named);
        parameters.forEach(({ name: parameter, fallback }, i) => {
          const given = i < positional.length ? positional[i] : rest.get(parameter);
          rest.delete(parameter);
          const missing = () =>
            fallback ? this.value(fallback, inner) : new Undefined(`the parameter "${parameter}" of ${name}`);
          inner.own.set(parameter, orElse(given, missing));
        });
        inner.own.set(
          'caller',
          orElse(rest.get('caller'), () => this.named('caller', scope)),
        );
        rest.delete('caller');
        inner.own.set('varargs', tuple(positional.slice(parameters.length)));
        inner.own.set('kwargs', new Dict(rest));
        return this.captured(body, inner);
      }),
    );
  }

  private called(callee: Value, args: Arguments): Value {
    if (callee instanceof Callable) return callee.call(args);
    if (callee instanceof Loop && callee.recurse)
      return callee.recurse(orElse(args.positional[0], () => new Undefined('nothing')));
    if (callee instanceof Undefined) callee.fail();
    throw new TemplateError(`${typeName(callee)} cannot be called`);
  }

  private arguments({ positional, named, rest, keywords }: ArgumentNodes, scope: Scope): Arguments {
    const args: Arguments = { positional: [], named: new Map() };
    for (const node of positional) args.positional.push(this.value(node, scope));
    if (rest) args.positional.push(...itemsOf(this.value(rest, scope)));
    for (const [name, node] of named) args.named.set(name, this.value(node, scope));
    const more = keywords && this.value(keywords, scope);
    if (more instanceof Dict) for (const [key, value] of more.entries()) args.named.set(toText(key), value);
    else if (more !== undefined) throw new TemplateError(`"**" needs a dict, not ${typeName(more)}`);
    return args;
  }

  /** A chain of filters whose first has no operand. */
  private chained(node: Expression, text: string, scope: Scope): Value {
    if (node.kind !== 'filter') return text;
    const operand = node.operand ? this.chained(node.operand, text, scope) : text;
    return this.filtered(node.name, operand, this.arguments(node.args, scope));
  }

  private filtered(name: string, value: Value, args: Arguments): Value {
    this.budget.step();
    // Filters of lists count their items themselves.
    if (typeof value === 'string' || !walksItems(name)) this.budget.build(weightOf(value));
    const result = filterNamed(name)(value, args, this.tools);
    if (typeof result === 'string') this.budget.build(result.length);
    return result;
  }

  private tested(name: string, value: Value, { positional, named }: Arguments): boolean {
    this.budget.step();
    if (named.size > 0 || positional.length > 1)
      throw new TemplateError(`the test "${name}" takes one value`);
    return testNamed(name)(value, positional[0], this.budget);
  }

  /** object.name: a method or an attribute before a key. */
  private member(object: Value, name: string): Value {
    if (object instanceof Undefined) object.fail();
    return orElse(memberOf(object, name, this.budget), () =>
      orElse(itemAt(object, name, this.budget), () => new Undefined(`"${name}" of ${typeName(object)}`)),
    );
  }

  /** object[key]: a key before a method or an attribute. */
  private item(object: Value, key: Value): Value {
    if (object instanceof Undefined) object.fail();
    const found = itemAt(object, key, this.budget);
    if (found !== undefined) return found;
    const member = typeof key === 'string' ? memberOf(object, key, this.budget) : undefined;
    return orElse(member, () => new Undefined(`an item of ${typeName(object)}`));
  }

  private text(value: Value): string {
    if (typeof value !== 'string') this.budget.build(weightOf(value));
    return toText(value);
  }

  private named(name: string, scope: Scope): Value {
    return orElse(scope.find(name), () => new Undefined(`"${name}"`));
  }

  private path(object: Value, path: Value): Value {
    if (typeof path !== 'string') return this.item(object, path);
    return path
      .split('.')
      .reduce<Value>((value, part) => this.item(value, /^\d+$/.test(part) ? Number(part) : part), object);
  }

  private value(node: Expression, scope: Scope): Value {
    this.budget.step();
    this.line = node.line;
    switch (node.kind) {
      case 'constant':
        return node.value;
      case 'name':
        return this.named(node.name, scope);
      case 'list':
        return list(node.items.map((item) => this.value(item, scope)));
      case 'tuple':
        return tuple(node.items.map((item) => this.value(item, scope)));
      case 'dict':
        return new Dict(node.pairs.map(([key, value]) => [this.value(key, scope), this.value(value, scope)]));
      case 'conditional':
        if (isTrue(this.value(node.test, scope))) return this.value(node.yes, scope);
        return node.no ? this.value(node.no, scope) : new Undefined('the value of an "if" without "else"');
      case 'and': {
        const left = this.value(node.left, scope);
        return isTrue(left) ? this.value(node.right, scope) : left;
      }
      case 'or': {
        const left = this.value(node.left, scope);
        return isTrue(left) ? left : this.value(node.right, scope);
      }
      case 'not':
        return !isTrue(this.value(node.operand, scope));
      case 'compare': {
        let left = this.value(node.first, scope);
        for (const [operator, operand] of node.rest) {
          const right = this.value(operand, scope);
          if (!compare(operator, left, right, this.budget)) return false;
          left = right;
        }
        return true;
      }
      case 'concat': {
        const parts = node.parts.map((part) => this.text(this.value(part, scope)));
        this.budget.build(parts.reduce((sum, part) => sum + part.length, 0));
        return parts.join('');
      }
      case 'binary':
        return binary(
          node.operator,
          this.value(node.left, scope),
          this.value(node.right, scope),
          this.budget,
        );
      case 'sign':
        return signed(node.operator, this.value(node.operand, scope));
      case 'filter':
        return this.filtered(node.name, this.value(node.operand!, scope), this.arguments(node.args, scope));
      case 'test':
        return this.tested(node.name, this.value(node.operand!, scope), this.arguments(node.args, scope));
      case 'call':
        return this.called(this.value(node.callee, scope), this.arguments(node.args, scope));
      case 'attribute':
        return this.member(this.value(node.object, scope), node.name);
      case 'item':
        return this.item(this.value(node.object, scope), this.value(node.key, scope));
      case 'slice': {
        const { start, stop, step } = node.slice;
        const object = this.value(node.object, scope);
        const bounds = [start, stop, step].map((bound) => bound && this.value(bound, scope));
        return sliced(object, bounds, this.budget);
      }
    }
  }
}
