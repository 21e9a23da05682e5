import { bind, text, whole } from './arguments';
import { binary } from './operators';
import { TemplateError } from './template-error';
import type { Filter, Tools } from './tools';
import {
  Dict,
  generator,
  isEqual,
  isTrue,
  itemsOf,
  lengthOf,
  list,
  order,
  orElse,
  Sequence,
  tuple,
  typeName,
  Undefined,
  weightOf,
  type Arguments,
  type Value,
} from './jinja-values';

/** Strings in lower case, for filters that ignore it. */
const folded = (value: Value, sensitive: Value | undefined): Value =>
  typeof value === 'string' && !isTrue(sensitive ?? false) ? value.toLowerCase() : value;

/** map('lower') and map(attribute='content', default=''). */
function mapping(args: Arguments, tools: Tools): (item: Value) => Value {
  const { positional, named } = args;
  if (positional.length === 0) {
    const [path, fallback] = bind('map', args, 'attribute!', 'default');
    return (item) => {
      const value = tools.attribute(item, path!);
      return value instanceof Undefined && fallback !== undefined ? fallback : value;
    };
  }
  const name = text('map', positional[0]);
  const rest = { positional: positional.slice(1), named };
  return (item) => tools.filter(name, item, rest);
}

/** The test that select, reject, selectattr and rejectattr apply to each item. */
function selection(
  { positional, named }: Arguments,
  byAttribute: boolean,
  tools: Tools,
): (item: Value) => boolean {
  const rest = byAttribute ? positional.slice(1) : positional;
  const [path] = positional;
  if (byAttribute && path === undefined) throw new TemplateError('selectattr needs an attribute');
  const [name, ...args] = rest;
  return (item) => {
    const value = byAttribute ? tools.attribute(item, path) : item;
    return name === undefined
      ? isTrue(value)
      : tools.test(text('select', name), value, { positional: args, named });
  };
}

const selects =
  (byAttribute: boolean, wanted: boolean): Filter =>
  (value, args, tools) => {
    if (!isTrue(value)) return generator([]);
    const holds = selection(args, byAttribute, tools);
    const items = itemsOf(value);
    tools.budget.step(items.length);
    return generator(items.filter((item) => holds(item) === wanted));
  };

const extreme =
  (name: string, sign: number): Filter =>
  (value, args, tools) => {
    const [sensitive, path] = bind(name, args, 'case_sensitive', 'attribute');
    const key = (item: Value) =>
      folded(path === undefined || path === null ? item : tools.attribute(item, path), sensitive);
    const items = itemsOf(value);
    if (items.length === 0) return new Undefined(`the ${name} of nothing`);
    tools.budget.step(items.length);
    tools.budget.read(weightOf(value));
    return items.reduce((best, item) => (sign * order(key(item), key(best)) > 0 ? item : best));
  };

function sorted(items: Value[], key: (item: Value) => Value, reversed: boolean, tools: Tools): Value[] {
  tools.budget.build(items.length);
  const keys = items.map((item): [Value, Value] => [key(item), item]);
  keys.sort(([a], [b]) => {
    tools.budget.read(64 + Math.min(weightOf(a), weightOf(b)));
    // Equal values need no order: Python sorts several None.
    if (isEqual(a, b)) return 0;
    return reversed ? order(b, a) : order(a, b);
  });
  return keys.map(([, item]) => item);
}

/** The values of comma-separated paths, for sorting by several. */
const keyOf = (path: Value | undefined, sensitive: Value | undefined, tools: Tools) => (item: Value) => {
  if (path === undefined || path === null) return folded(item, sensitive);
  const paths = typeof path === 'string' ? path.split(',') : [path];
  const keys = paths.map((part) => folded(tools.attribute(item, part), sensitive));
  return keys.length === 1 ? keys[0] : tuple(keys);
};

export const SEQUENCE_FILTERS: Record<string, Filter> = {
  batch: (value, args, { budget }) => {
    const [size, fill] = bind('batch', args, 'linecount!', 'fill_with');
    const count = Math.max(1, whole('batch', size));
    const items = itemsOf(value);
    const rows: Value[] = [];
    for (let i = 0; i < items.length; i += count) {
      const row = items.slice(i, i + count);
      if (fill !== undefined && fill !== null) {
        budget.build(count);
        while (row.length < count) row.push(fill);
      }
      rows.push(list(row));
    }
    return generator(rows);
  },
  dictsort: (value, args, tools) => {
    const [sensitive, by = 'key', reversed = false] = bind(
      'dictsort',
      args,
      'case_sensitive',
      'by',
      'reverse',
    );
    if (!(value instanceof Dict)) throw new TemplateError(`dictsort needs a dict, not ${typeName(value)}`);
    if (by !== 'key' && by !== 'value') throw new TemplateError('dictsort sorts by "key" or by "value"');
    const at = by === 'key' ? 0 : 1;
    const pairs = value.entries().map(tuple);
    return list(
      sorted(pairs, (pair) => folded((pair as Sequence).items[at], sensitive), isTrue(reversed), tools),
    );
  },
  first: (value) => orElse(itemsOf(value)[0], () => new Undefined('the first item of nothing')),
  groupby: (value, args, tools) => {
    const [path, fallback, sensitive] = bind('groupby', args, 'attribute!', 'default', 'case_sensitive');
    const key = (item: Value): Value => {
      const found = tools.attribute(item, path!);
      return found instanceof Undefined && fallback !== undefined ? fallback : found;
    };
    const groups: { key: Value; shown: Value; items: Value[] }[] = [];
    for (const item of sorted(itemsOf(value), (i) => folded(key(i), sensitive), false, tools)) {
      const own = folded(key(item), sensitive);
      const last = groups.at(-1);
      if (last && isEqual(last.key, own)) last.items.push(item);
      else groups.push({ key: own, shown: key(item), items: [item] });
    }
    return list(groups.map((g) => tuple([g.shown, list(g.items)])));
  },
  items: (value) => {
    if (value instanceof Undefined) return generator([]);
    if (!(value instanceof Dict)) throw new TemplateError(`items needs a dict, not ${typeName(value)}`);
    return generator(value.entries().map(tuple));
  },
  last: (value) => {
    if (value instanceof Sequence && value.kind === 'generator')
      throw new TemplateError('last does not work on what a filter generates: add "list" before it');
    return orElse(itemsOf(value).at(-1), () => new Undefined('the last item of nothing'));
  },
  length: (value) => lengthOf(value),
  list: (value, _args, { budget }) => {
    const items = itemsOf(value);
    budget.build(items.length);
    return list([...items]);
  },
  map: (value, args, tools) => {
    if (!isTrue(value)) return generator([]);
    const items = itemsOf(value);
    tools.budget.build(items.length);
    return generator(items.map(mapping(args, tools)));
  },
  max: extreme('max', 1),
  min: extreme('min', -1),
  reject: selects(false, false),
  rejectattr: selects(true, false),
  select: selects(false, true),
  selectattr: selects(true, true),
  slice: (value, args) => {
    const [count, fill] = bind('slice', args, 'slices!', 'fill_with');
    const all = itemsOf(value);
    const slices = whole('slice', count);
    if (slices < 1 || slices > 100_000) throw new TemplateError('slice needs a positive number');
    const [each, longer] = [Math.floor(all.length / slices), all.length % slices];
    return generator(
      Array.from({ length: slices }, (_, i) => {
        const start = i * each + Math.min(i, longer);
        const part = all.slice(start, start + each + (i < longer ? 1 : 0));
        return list(
          fill !== undefined && fill !== null && i >= longer && longer > 0 ? [...part, fill] : part,
        );
      }),
    );
  },
  sort: (value, args, tools) => {
    const [reversed = false, sensitive, path] = bind('sort', args, 'reverse', 'case_sensitive', 'attribute');
    return list(sorted(itemsOf(value), keyOf(path, sensitive, tools), isTrue(reversed), tools));
  },
  sum: (value, args, tools) => {
    const [path, start = 0] = bind('sum', args, 'attribute', 'start');
    const of = (item: Value) => (path === undefined || path === null ? item : tools.attribute(item, path));
    return itemsOf(value).reduce((total, item) => binary('+', total, of(item), tools.budget), start);
  },
  unique: (value, args, tools) => {
    const [sensitive, path] = bind('unique', args, 'case_sensitive', 'attribute');
    const key = keyOf(path, sensitive, tools);
    tools.budget.read(weightOf(value));
    const seen = new Dict();
    return generator(
      itemsOf(value).filter((item) => {
        const own = key(item);
        const fresh = !seen.has(own);
        seen.set(own, true);
        return fresh;
      }),
    );
  },
};
