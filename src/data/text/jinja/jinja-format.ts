import {
  type Arguments,
  asNumber,
  Dict,
  Float,
  repr,
  Sequence,
  toText,
  typeName,
  type Value,
} from './jinja-values';
import { textLength } from './python-text';
import { TemplateError } from './template-error';

/** Widths and precisions beyond this are refused: no text of a model has them. */
const WIDEST = 10_000;

function bounded(width: string | undefined): number | undefined {
  if (width === undefined || width === '') return undefined;
  if (Number(width) > WIDEST) throw new TemplateError(`a width of ${width} is too large`);
  return Number(width);
}

function number(value: Value, conversion: string): number {
  const found = asNumber(value);
  if (found === undefined) throw new TemplateError(`%${conversion} needs a number, not ${typeName(value)}`);
  return found;
}

/** A number in Python's presentation types, without its sign. */
function presented(value: number, type: string, precision: number | undefined): string {
  const size = Math.abs(value);
  switch (type) {
    case 'd':
      return String(Math.trunc(size));
    case 'x':
      return Math.trunc(size).toString(16);
    case 'X':
      return Math.trunc(size).toString(16).toUpperCase();
    case 'o':
      return Math.trunc(size).toString(8);
    case 'b':
      return Math.trunc(size).toString(2);
    case 'f':
    case 'F':
      return fixed(size, precision ?? 6);
    case '%':
      return `${fixed(size * 100, precision ?? 6)}%`;
    case 'e':
    case 'E': {
      const text = size.toExponential(Math.min(precision ?? 6, 100)).replace(/e([+-])(\d)$/, 'e$10$2');
      return type === 'E' ? text.toUpperCase() : text;
    }
    default: {
      const digits = Math.max(1, precision ?? 6);
      if (size === 0) return '0';
      const exponent = Number(size.toExponential(Math.min(digits - 1, 100)).split('e')[1]);
      if (exponent >= -4 && exponent < digits)
        return fixed(size, digits - 1 - exponent)
          .replace(/(\.\d*?)0+$/, '$1')
          .replace(/\.$/, '');
      const [mantissa, power] = size.toExponential(Math.min(digits - 1, 100)).split('e');
      const short = mantissa.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');
      return `${short}e${power[0]}${power.slice(1).padStart(2, '0')}`;
    }
  }
}

/** Rounded to so many digits; halves that are exact go to the even neighbor, as in Python. */
export function fixed(value: number, digits: number): string {
  const places = Math.max(0, Math.min(digits, 50));
  const text = value.toFixed(places);
  // All digits of a number are within 100 places if it can be halfway between two of 50.
  const [whole, fraction = ''] = value.toFixed(100).split('.');
  if (!/^50*$/.test(fraction.slice(places))) return text;
  const even = /[02468]$/.test(whole + fraction.slice(0, places));
  return even ? (places === 0 ? whole : `${whole}.${fraction.slice(0, places)}`) : text;
}

const signOf = (value: number, always: string): string =>
  value < 0 || Object.is(value, -0) ? '-' : always === '-' ? '' : always;

/** template % values */
export function percentFormat(template: string, values: Value): string {
  const list = values instanceof Sequence && values.kind === 'tuple' ? [...values.items] : [values];
  let used = 0;
  const take = (): Value => {
    if (used >= list.length) throw new TemplateError('not enough values for the format');
    return list[used++];
  };
  let named = false;
  const text = template.replace(
    /%(?:\(([^)]*)\))?([-+ #0]*)(\d*)(?:\.(\d*))?([a-zA-Z%]?)/g,
    (
      _all,
      key: string | undefined,
      flags: string,
      width: string,
      precision: string | undefined,
      type: string,
    ) => {
      if (type === '%') return '%';
      if (key !== undefined) named = true;
      const value = key === undefined ? take() : member(values, key);
      const short = bounded(precision === '' ? '0' : precision);
      let sign = '';
      let body: string;
      if (type === 's' || type === 'r' || type === 'a') {
        const whole = type === 's' ? toText(value) : repr(value);
        body = short === undefined ? whole : Array.from(whole).slice(0, short).join('');
      } else if (type === 'c') body = typeof value === 'number' ? String.fromCodePoint(value) : toText(value);
      else if ('diuxXofFeEgG'.includes(type) && type !== '') {
        const found = number(value, type);
        if ('xXo'.includes(type) && value instanceof Float)
          throw new TemplateError(`%${type} needs a whole number`);
        const kind = type === 'i' || type === 'u' ? 'd' : type;
        sign = signOf(
          kind === 'd' ? Math.trunc(found) : found,
          flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '-',
        );
        body = presented(found, kind, short);
      } else throw new TemplateError(`%${type} is not supported`);
      const fill = (bounded(width) ?? 0) - textLength(sign + body);
      if (fill <= 0) return sign + body;
      if (flags.includes('-')) return sign + body + ' '.repeat(fill);
      return flags.includes('0') && type !== 's'
        ? sign + '0'.repeat(fill) + body
        : ' '.repeat(fill) + sign + body;
    },
  );
  if (!named && used < list.length && !(values instanceof Dict))
    throw new TemplateError('too many values for the format');
  return text;
}

function member(values: Value, key: string): Value {
  const value = values instanceof Dict ? values.get(key) : undefined;
  if (value === undefined) throw new TemplateError(`the format needs "${key}"`);
  return value;
}

/** template.format(...), with indices, names and format specifications, but without members of values. */
export function braceFormat(template: string, { positional, named }: Arguments): string {
  let next = 0;
  return template.replace(
    /\{\{|\}\}|\{([^{}!:]*)(?:!([rsa]))?(?::([^{}]*))?\}|[{}]/g,
    (all, key: string | undefined, conversion: string | undefined, spec: string | undefined) => {
      if (all === '{{' || all === '}}') return all[0];
      if (key === undefined) throw new TemplateError(`"${all}" stands alone in a format`);
      const value =
        key === '' ? positional[next++] : /^\d+$/.test(key) ? positional[Number(key)] : named.get(key);
      if (value === undefined) throw new TemplateError(`the format needs "${key}"`);
      if (key !== '' && next > 0) throw new TemplateError('a format either counts its values or names them');
      const shown = conversion === undefined ? value : conversion === 's' ? toText(value) : repr(value);
      return formatted(shown, spec ?? '');
    },
  );
}

/** format(value, spec) */
function formatted(value: Value, spec: string): string {
  if (spec === '') return toText(value);
  const parts = /^(?:([^])?([<>=^]))?([-+ ]?)#?(0?)(\d*)([,_]?)(?:\.(\d+))?([bcdeEfFgGosxX%]?)$/u.exec(spec);
  if (!parts) throw new TemplateError(`the format "${spec}" is not supported`);
  const [, fill, align, sign, zero, width, group, precision, type] = parts;
  const found = asNumber(value);
  let prefix = '';
  let body: string;
  if (found === undefined || type === 's') {
    const all = toText(value);
    body = precision === undefined ? all : Array.from(all).slice(0, bounded(precision)).join('');
  } else {
    prefix = signOf(found, sign || '-');
    const plain = type === '' && precision === undefined;
    body = plain ? toText(value).replace('-', '') : presented(found, type || 'g', bounded(precision));
    if (group) body = body.replace(/\d(?=(?:\d{3})+(?!\d))(?<!\.\d*)/g, `$&${group}`);
  }
  const missing = (bounded(width) ?? 0) - textLength(prefix + body);
  if (missing <= 0) return prefix + body;
  const filling = (fill ?? (zero || ' ')).repeat(1);
  const side = align ?? (zero && found !== undefined ? '=' : found === undefined ? '<' : '>');
  const left = side === '^' ? Math.floor(missing / 2) : side === '<' ? 0 : missing;
  if (side === '=') return prefix + filling.repeat(missing) + body;
  return filling.repeat(left) + prefix + body + filling.repeat(missing - left);
}
