import { TemplateError } from './template-error';
import { Dict, Float, floatText, itemsOf, order, Sequence, typeName, type Value } from './values';

export interface JsonOptions {
  ascii: boolean;
  indent?: string;
  item: string;
  key: string;
  sorted: boolean;
}

/** json.dumps(value), as transformers' tojson filter calls it. */
export function toJson(value: Value, options: JsonOptions, depth = 0): string {
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
