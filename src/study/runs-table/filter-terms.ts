import { t } from '../../base/l10n';
import { nearest } from '../../base/nearest';
import { type Column, compareTexts, type Value } from './table';

/** A mistake in a filter, and its place: characters from `at` on, which is the filter's length at the end. */
export interface FilterProblem {
  message: string;
  at: number;
  length: number;
}

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'contains';

export interface Token {
  kind: 'open' | 'close' | 'operator' | 'word' | 'quoted' | 'end';
  /** Without quotes; of an operator, as in `Operator`. */
  text: string;
  at: number;
  length: number;
}

const OPERATORS: Readonly<Record<string, Operator>> = {
  '=': '=',
  '==': '=',
  '!=': '!=',
  '≠': '!=',
  '<': '<',
  '<=': '<=',
  '≤': '<=',
  '>': '>',
  '>=': '>=',
  '≥': '>=',
};
const NEXT =
  /\s*(?:([()])|(==|!=|<=|>=|[=<>≠≤≥])|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|([^\s()=<>≠≤≥!"']+))/y;

/** The parts of a filter, `end` last. */
export function tokens(text: string): Token[] | FilterProblem {
  const found: Token[] = [];
  let at = 0;
  while (text.slice(at).trim() !== '') {
    NEXT.lastIndex = at;
    const match = NEXT.exec(text);
    if (!match) {
      const from = at + text.slice(at).search(/\S/);
      const isQuote = /["']/.test(text[from]);
      return isQuote
        ? { message: t('This quotation mark is not closed.'), at: from, length: text.length - from }
        : { message: t('"{0}" has no meaning here.', text[from]), at: from, length: 1 };
    }
    const [whole, bracket, operator, quoted, word] = match;
    const own = bracket ?? operator ?? quoted ?? word;
    const place = { at: at + whole.length - own.length, length: own.length };
    at += whole.length;
    if (bracket) found.push({ kind: bracket === '(' ? 'open' : 'close', text: bracket, ...place });
    else if (operator) found.push({ kind: 'operator', text: OPERATORS[operator], ...place });
    else if (quoted) found.push({ kind: 'quoted', text: unquoted(quoted), ...place });
    else if (word.toLowerCase() === 'contains') found.push({ kind: 'operator', text: 'contains', ...place });
    else found.push({ kind: 'word', text: word, ...place });
  }
  found.push({ kind: 'end', text: '', at: text.length, length: 0 });
  return found;
}

const unquoted = (text: string): string => text.slice(1, -1).replace(/\\(.)/g, '$1');

/** Other names of columns. */
const ALIASES: Readonly<Record<string, string>> = {
  tag: 'tags',
  starred: 'star',
  run: 'name',
  lr: 'training.learningRate',
};

/**
 * The place of the column with that name: its key, without regard to case; an alias; or the end of exactly one
 * setting's key ("rank" for adapter.rank). Otherwise the mistake in the name.
 */
export function columnNamed(columns: readonly Column[], name: string): number | string {
  const wanted = name.toLowerCase();
  const exact = columns.findIndex(({ key }) => key.toLowerCase() === wanted);
  if (exact >= 0) return exact;
  const ends = columns.flatMap(({ key }, at) => (key.toLowerCase().endsWith(`.${wanted}`) ? [at] : []));
  // The last or test value of a metric is named by its whole key.
  const settings = ends.filter((at) => columns[at].kind === 'setting');
  if (settings.length === 1) return settings[0];
  if (settings.length > 1)
    return t(
      '"{0}" could be {1}; write the whole name.',
      name,
      settings.map((at) => columns[at].key).join(t(' or ')),
    );
  const alias = Object.hasOwn(ALIASES, wanted) ? columns.findIndex(({ key }) => key === ALIASES[wanted]) : -1;
  if (alias >= 0) return alias;
  const near = nearest(name, [
    ...columns.map(({ key }) => key),
    ...columns.map(({ key }) => key.split('.').at(-1)!),
    ...Object.keys(ALIASES),
  ]);
  return near === undefined
    ? t('There is no column "{0}".', name)
    : t('There is no column "{0}". Did you mean "{1}"?', name, near);
}

export type Matches = (value: Value) => boolean;

/** A test for a cell's value: "> 0.9". A string describes what was expected in place of `text`. */
export function matcher(column: Column, operator: Operator, text: string): Matches | string {
  if (operator === 'contains') {
    const wanted = text.toLowerCase();
    return (value) => value !== null && textsOf(value).some((t) => t.toLowerCase().includes(wanted));
  }
  if (operator === '!=') {
    const same = matcher(column, '=', text);
    return typeof same === 'string' ? same : (value) => !same(value);
  }
  switch (column.type) {
    case 'number':
    case 'duration': {
      const number = column.type === 'duration' ? secondsIn(text) : numberIn(text);
      if (number !== undefined) return within(operator, [number, number]);
      return column.type === 'duration'
        ? t('a duration, such as 90s, 5min or 2h')
        : column.metric
          ? t('a number, such as 0.9 or 90%')
          : t('a number');
    }
    case 'time': {
      const range = timesIn(text);
      return range ? within(operator, range) : t('a date, such as 2026-01-31 or 2026-01-31T14:30');
    }
    case 'boolean': {
      const wanted = BOOLEANS.get(text.toLowerCase());
      if (wanted === undefined || operator !== '=') return t('= or != and "true" or "false"');
      return (value) => value === wanted;
    }
    case 'list':
      if (operator !== '=') return t('=, != or contains');
      return (value) => Array.isArray(value) && value.some((item) => compareTexts(item, text) === 0);
    case 'text':
      return (value) => value !== null && HOLDS[operator](compareTexts(String(value), text));
  }
}

const HOLDS: Record<Exclude<Operator, 'contains' | '!='>, (order: number) => boolean> = {
  '=': (order) => order === 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/** Compares with a range, both ends of which count: a day is all times of the day. */
function within(operator: keyof typeof HOLDS, [from, to]: readonly [number, number]): Matches {
  return (value) => typeof value === 'number' && HOLDS[operator](value < from ? -1 : value > to ? 1 : 0);
}

const textsOf = (value: NonNullable<Value>): readonly string[] =>
  Array.isArray(value) ? value : [String(value)];

const BOOLEANS = new Map([
  ['true', true],
  ['yes', true],
  ['false', false],
  ['no', false],
]);

const NUMBER = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(.*)$/i;

/** 0.9 and 90% are the same. */
function numberIn(text: string): number | undefined {
  const [, number, unit] = NUMBER.exec(text.replaceAll(',', '')) ?? [];
  if (number === undefined || (unit !== '' && unit !== '%')) return undefined;
  if (unit === '') return Number(number);
  // The double nearest to 0.999: 99.9 / 100 is another.
  return /e/i.test(number) ? Number(number) / 100 : Number(`${number}e-2`);
}

const SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, min: 60, m: 60, h: 3600, d: 86_400 };

function secondsIn(text: string): number | undefined {
  const [, number, unit] = NUMBER.exec(text) ?? [];
  const known = unit !== undefined && Object.hasOwn(SECONDS, unit.toLowerCase());
  return known ? Number(number) * SECONDS[unit.toLowerCase()] : undefined;
}

const DATE = /^(\d{4})-(\d\d?)-(\d\d?)(?:[T ](\d\d?):(\d\d))?$/i;

/** The first and last millisecond of a day or a minute of local time. */
function timesIn(text: string): [number, number] | undefined {
  const match = DATE.exec(text);
  if (!match) return undefined;
  const [year, month, day] = match.slice(1, 4).map(Number);
  const timed = match[4] !== undefined;
  const [hour, minute] = timed ? [Number(match[4]), Number(match[5])] : [0, 0];
  const from = new Date(year, month - 1, day, hour, minute);
  if (from.getMonth() !== month - 1 || from.getDate() !== day || hour > 23 || minute > 59) return undefined;
  const to = timed ? new Date(year, month - 1, day, hour, minute + 1) : new Date(year, month - 1, day + 1);
  return [from.getTime(), to.getTime() - 1];
}
