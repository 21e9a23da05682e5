import { bind, text, whole } from './arguments';
import { fixed, percentFormat } from './jinja-format';
import { joined, memberOf, replaceText } from './string-methods';
import * as python from './python-text';
import { SEQUENCE_FILTERS } from './sequence-filters';
import { TemplateError } from './template-error';
import type { Filter } from './tools';
import {
  asNumber,
  Dict,
  Float,
  floatText,
  isTrue,
  itemsOf,
  list,
  order,
  orElse,
  repr,
  Sequence,
  toText,
  tuple,
  typeName,
  Undefined,
  type Value,
} from './jinja-values';

export interface JsonOptions {
  ascii: boolean;
  indent?: string;
  item: string;
  key: string;
  sorted: boolean;
}

/** json.dumps(value), as transformers' tojson filter calls it. */
function toJson(value: Value, options: JsonOptions, depth = 0): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean' || typeof value === 'number') return String(value);
  if (typeof value === 'string') return jsonText(value, options.ascii);
  if (value instanceof Float)
    return Number.isFinite(value.value)
      ? floatText(value.value)
      : Number.isNaN(value.value)
        ? 'NaN'
        : value.value < 0
          ? '-Infinity'
          : 'Infinity';
  if (depth > 100) throw new TemplateError('tojson is given a value that is nested more than 100 deep');
  const inside = (part: Value) => toJson(part, options, depth + 1);
  if (value instanceof Dict) {
    const pairs = value.entries();
    if (options.sorted) pairs.sort(([a], [b]) => order(a, b));
    const parts = pairs.map(([key, part]) => `${jsonKey(key, options)}${options.key}${inside(part)}`);
    return enclosed('{', parts, '}', options, depth);
  }
  if (value instanceof Sequence && (value.kind === 'list' || value.kind === 'tuple'))
    return enclosed('[', itemsOf(value).map(inside), ']', options, depth);
  throw new TemplateError(`${typeName(value)} cannot be written as JSON`);
}

function enclosed(
  open: string,
  parts: string[],
  close: string,
  { indent, item }: JsonOptions,
  depth: number,
): string {
  if (indent === undefined || parts.length === 0) return open + parts.join(item) + close;
  const line = (level: number) => `\n${indent.repeat(level)}`;
  return open + line(depth + 1) + parts.join(item + line(depth + 1)) + line(depth) + close;
}

function jsonKey(key: Value, options: JsonOptions): string {
  if (typeof key === 'string') return jsonText(key, options.ascii);
  if (key === null || typeof key === 'boolean' || typeof key === 'number' || key instanceof Float)
    return `"${toJson(key, options)}"`;
  throw new TemplateError(`${typeName(key)} cannot be a key in JSON`);
}

const jsonText = (text: string, ascii: boolean): string => {
  const json = JSON.stringify(text);
  return ascii
    ? json.replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    : json;
};

/** The separators of words in Jinja2's `title`: its regular expression has Python's white space. */
const WORD_STARTS = new RegExp(`((?:[-({[<]|${python.SPACE})+)`);

/** Jinja's filters, tojson as transformers has it. */
const VALUE_FILTERS: Record<string, Filter> = {
  abs: (value) => {
    const number = asNumber(value);
    if (number === undefined) throw new TemplateError(`abs does not work on ${typeName(value)}`);
    return value instanceof Float ? new Float(Math.abs(number)) : Math.abs(number);
  },
  attr: (value, args, { budget }) => {
    const name = text('attr', bind('attr', args, 'name!')[0]);
    return orElse(memberOf(value, name, budget), () => new Undefined(`"${name}" of ${typeName(value)}`));
  },
  capitalize: (value) => python.capitalized(toText(value)),
  center: (value, args, { budget }) => {
    const all = toText(value);
    const width = whole('center', bind('center', args, 'width')[0], 80);
    const missing = Math.max(0, width - python.textLength(all));
    budget.build(all.length + missing);
    const left = (missing >> 1) + (missing & width & 1);
    return ' '.repeat(left) + all + ' '.repeat(missing - left);
  },
  default: (value, args) => {
    const [fallback = '', boolean = false] = bind('default', args, 'default_value', 'boolean');
    return value instanceof Undefined || (isTrue(boolean) && !isTrue(value)) ? fallback : value;
  },
  escape: (value) =>
    toText(value)
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll("'", '&#39;')
      .replaceAll('"', '&#34;'),
  float: (value, args) => {
    const [fallback = new Float(0)] = bind('float', args, 'default');
    const number = typeof value === 'string' ? parsedFloat(value) : asNumber(value);
    return number === undefined ? fallback : new Float(number);
  },
  format: (value, { positional, named }) =>
    percentFormat(toText(value), named.size > 0 ? new Dict(named) : tuple(positional)),
  indent: (value, args, { budget }) => {
    const [width = 4, first = false, blank = false] = bind('indent', args, 'width', 'first', 'blank');
    const by = typeof width === 'string' ? width : ' '.repeat(Math.min(1000, whole('indent', width)));
    const lines = python.splitLines(`${toText(value)}\n`);
    budget.build(toText(value).length + lines.length * by.length);
    const indented = lines.map((line, i) => (i > 0 && (line !== '' || isTrue(blank)) ? by + line : line));
    return (isTrue(first) ? by : '') + indented.join('\n');
  },
  int: (value, args) => {
    const [fallback = 0, base = 10] = bind('int', args, 'default', 'base');
    if (typeof value === 'string') return parsedInteger(value, whole('int', base)) ?? fallback;
    const number = asNumber(value);
    return number === undefined || !Number.isFinite(number) ? fallback : Math.trunc(number) + 0;
  },
  lower: (value) => toText(value).toLowerCase(),
  replace: (value, args, { budget }) => {
    const [from, to, count] = bind('replace', args, 'old!', 'new!', 'count');
    const most = count === undefined || count === null ? -1 : whole('replace', count);
    return replaceText(toText(value), toText(from!), toText(to!), most, budget);
  },
  round: (value, args) => {
    const [precision, method = 'common'] = bind('round', args, 'precision', 'method');
    const digits = whole('round', precision, 0);
    const number = asNumber(value);
    if (number === undefined) throw new TemplateError(`round does not work on ${typeName(value)}`);
    const scale = 10 ** digits;
    if (method === 'ceil') return new Float(Math.ceil(number * scale) / scale);
    if (method === 'floor') return new Float(Math.floor(number * scale) / scale);
    if (!(value instanceof Float)) return digits < 0 ? Math.round(number * scale) / scale : number;
    return new Float(digits < 0 ? Math.round(number * scale) / scale : Number(fixed(number, digits)));
  },
  safe: (value) => toText(value),
  string: (value) => toText(value),
  title: (value) =>
    toText(value)
      .split(WORD_STARTS)
      .map((part) => part.charAt(0).toUpperCase() + part.slice(1).toLowerCase())
      .join(''),
  tojson: (value, args, { budget }) => {
    const [ascii = false, indent, separators, sorted = false] = bind(
      'tojson',
      args,
      'ensure_ascii',
      'indent',
      'separators',
      'sort_keys',
    );
    const margin =
      typeof indent === 'string'
        ? indent
        : indent === undefined || indent === null
          ? undefined
          : ' '.repeat(Math.min(100, Math.max(0, whole('tojson', indent))));
    const [item, key] =
      separators === undefined || separators === null
        ? [margin === undefined ? ', ' : ',', ': ']
        : itemsOf(separators).map((s) => text('tojson', s));
    const options = { ascii: isTrue(ascii), item, key, sorted: isTrue(sorted) };
    const json = toJson(value, { ...options, indent: margin });
    budget.build(json.length);
    return json;
  },
  trim: (value, args) => {
    const [chars] = bind('trim', args, 'chars');
    return python.strip(toText(value), chars === undefined || chars === null ? null : text('trim', chars));
  },
  truncate: (value, args) => {
    const [length, killwords = false, end = '...', leeway] = bind(
      'truncate',
      args,
      'length',
      'killwords',
      'end',
      'leeway',
    );
    const all = python.characters(toText(value));
    const size = whole('truncate', length, 255);
    if (all.length <= size + whole('truncate', leeway, 5)) return all.join('');
    const kept = all.slice(0, size - python.textLength(toText(end))).join('');
    if (isTrue(killwords)) return kept + toText(end);
    const space = kept.lastIndexOf(' ');
    return (space < 0 ? kept : kept.slice(0, space)) + toText(end);
  },
  upper: (value) => toText(value).toUpperCase(),
  urlencode: (value) => {
    const quote = (part: Value) =>
      encodeURIComponent(toText(part)).replace(
        /[!'()*]/g,
        (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
      );
    if (typeof value === 'string') return quote(value).replaceAll('%2F', '/');
    const pairs = value instanceof Dict ? value.entries() : itemsOf(value).map((pair) => itemsOf(pair));
    const plus = (part: Value) => quote(part).replaceAll('%20', '+');
    return pairs.map(([key, part]) => `${plus(key)}=${plus(part)}`).join('&');
  },
  wordcount: (value) => toText(value).match(/[\p{L}\p{N}_]+/gu)?.length ?? 0,
};

/** int(text, base); a decimal fraction is cut off. */
function parsedInteger(value: string, base: number): number | undefined {
  const plain = python.strip(value).replace(/(?<=\w)_(?=\w)/g, '');
  const prefix =
    base === 16 ? /^([+-]?)0x/i : base === 8 ? /^([+-]?)0o/i : base === 2 ? /^([+-]?)0b/i : /^([+-]?)/;
  const digits = plain.replace(prefix, '$1');
  const allowed = '0123456789abcdefghijklmnopqrstuvwxyz'.slice(0, base);
  if (new RegExp(`^[+-]?[${allowed}]+$`, 'i').test(digits)) return parseInt(digits, base) + 0;
  const float = parsedFloat(value);
  return float === undefined || !Number.isFinite(float) ? undefined : Math.trunc(float) + 0;
}

function parsedFloat(value: string): number | undefined {
  const plain = python.strip(value).replace(/(?<=\d)_(?=\d)/g, '');
  if (/^[+-]?(?:inf|infinity)$/i.test(plain)) return plain.startsWith('-') ? -Infinity : Infinity;
  if (/^[+-]?nan$/i.test(plain)) return NaN;
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(plain) ? Number(plain) : undefined;
}

const FILTERS: Record<string, Filter> = {
  ...VALUE_FILTERS,
  ...SEQUENCE_FILTERS,
  count: SEQUENCE_FILTERS.length,
  d: VALUE_FILTERS.default,
  e: VALUE_FILTERS.escape,
  join: (value, args, { budget, attribute }) => {
    const [separator = '', by] = bind('join', args, 'd', 'attribute');
    const items = itemsOf(value).map((item) =>
      toText(by === undefined || by === null ? item : attribute(item, by)),
    );
    return joined(toText(separator), items, budget);
  },
  pprint: (value) => repr(value),
  reverse: (value) => {
    if (typeof value === 'string') return python.characters(value).reverse().join('');
    if (value instanceof Sequence && value.kind === 'generator') return list([...value.items].reverse());
    return new Sequence('generator', [...itemsOf(value)].reverse());
  },
};

/** True for a filter that looks at the items of a list, but not into them. */
export const walksItems = (name: string): boolean =>
  Object.hasOwn(SEQUENCE_FILTERS, name) || ['count', 'd', 'default', 'join', 'reverse'].includes(name);

/** @throws TemplateError for a filter that Jinja or this program does not have */
export function filterNamed(name: string): Filter {
  if (!Object.hasOwn(FILTERS, name)) throw new TemplateError(`the filter "${name}" is not supported`);
  return FILTERS[name];
}
