import type { DataSpec } from '../experiment/experiment';

/** What the quotes of a file are: those of RFC 4180, which enclose fields, or characters of the texts. */
export type Quotes = 'csv' | 'text';

export interface DelimitedOptions {
  delimiter: ',' | '\t';
  /** `data.quoting`; "auto" if omitted. */
  quoting?: DataSpec['quoting'];
  /** `data.header`: whether the first row names the columns; true if omitted. */
  header?: boolean;
}

const QUOTE = 0x22;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const isBreak = (byte: number | undefined): boolean => byte === LF || byte === CR;

/**
 * How the quotes of a file are read; undefined if it has none. Those of CSV enclose fields. TSV is written both ways: by
 * pandas and spreadsheets with quotes as in CSV, and without any quoting, as GLUE's files and IANA's
 * text/tab-separated-values are.
 *
 * @param whole whether these are all the bytes, and not only the first ones
 */
export function quotesOf(
  bytes: Uint8Array,
  { delimiter, quoting = 'auto', header = true }: DelimitedOptions,
  whole = true,
): Quotes | undefined {
  if (!bytes.includes(QUOTE)) return undefined;
  if (quoting !== 'auto') return quoting === 'csv' ? 'csv' : 'text';
  const csv = delimiter === ',' || (header && namesInQuotes(bytes)) || areQuoting(bytes, whole);
  return csv ? 'csv' : 'text';
}

/** Texts can start with a quote, names of columns do not. */
function namesInQuotes(bytes: Uint8Array): boolean {
  let at = 0;
  while (isBreak(bytes[at])) at++;
  for (let starts = true; at < bytes.length && !isBreak(bytes[at]); at++) {
    if (starts && bytes[at] === QUOTE) return true;
    starts = bytes[at] === TAB;
  }
  return false;
}

/**
 * Whether all quotes of a tab-separated file are RFC 4180's: each opens a field, closes it, or is one of two within it.
 * Stray quotes could happen to be, so that those between them would swallow rows. Where all rows have the same number of
 * columns, a field that swallows some has a tab and a line break, or its row has another number of columns: neither
 * is accepted.
 */
function areQuoting(bytes: Uint8Array, whole: boolean): boolean {
  let width: number | undefined;
  /** How many columns those rows have that end elsewhere without the quotes. */
  const depending = new Set<number>();
  let columns = 1;
  /** Whether a quoted field of the row has a tab or a line break. */
  let depends = false;
  /** What the last byte was part of. */
  let at: 'start' | 'plain' | 'quoted' | 'closed' = 'start';
  let [hasTab, hasBreak] = [false, false];
  for (let i = 0; i <= bytes.length; i++) {
    const byte = bytes[i];
    if (at === 'quoted') {
      if (byte === undefined) {
        if (whole) return false;
        break;
      }
      if (byte === QUOTE) at = 'closed';
      else if (byte === TAB) hasTab = true;
      else if (isBreak(byte)) hasBreak = true;
      if (hasTab && hasBreak) return false;
      depends ||= hasTab || hasBreak;
    } else if (byte === TAB) {
      columns++;
      at = 'start';
    } else if (byte === undefined || isBreak(byte)) {
      const blank = columns === 1 && at === 'start';
      const cut = byte === undefined && !whole;
      if (depends && !cut) depending.add(columns);
      else if (!blank) width ??= columns;
      [columns, depends, at] = [1, false, 'start'];
    } else if (byte === QUOTE) {
      if (at === 'plain') return false;
      // After a closing quote: the second of two.
      if (at === 'start') [hasTab, hasBreak] = [false, false];
      at = 'quoted';
    } else {
      if (at === 'closed') return false;
      at = 'plain';
    }
  }
  return depending.size === 0 || (depending.size === 1 && depending.has(width ?? [...depending][0]));
}
