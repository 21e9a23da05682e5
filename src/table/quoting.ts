import type { DataSpec } from '../experiment/experiment';

/** The two meanings of a file's quotes: those of RFC 4180, which enclose fields, or characters of the texts. */
export type Quotes = 'csv' | 'text';

export interface DelimitedOptions {
  delimiter: ',' | '\t';
  /** `data.quoting`; "auto" if omitted. */
  quoting?: DataSpec['quoting'];
  /** `data.header`: true if the first row names the columns; true if omitted. */
  header?: boolean;
}

const QUOTE = 0x22;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const isBreak = (byte: number | undefined): boolean => byte === LF || byte === CR;

/**
 * The treatment of a file's quotes; undefined if it has none. Those of CSV enclose fields. TSV is written both ways: by
 * pandas and spreadsheets with quotes as in CSV, and without any quoting, as GLUE's files and IANA's
 * text/tab-separated-values are.
 *
 * @param whole true for all the bytes, false for only the first ones
 */
export function quotesOf(
  bytes: Uint8Array,
  { delimiter, quoting = 'auto', header = true }: DelimitedOptions,
  whole = true,
): Quotes | undefined {
  if (!bytes.includes(QUOTE)) return undefined;
  if (quoting !== 'auto') return quoting === 'csv' ? 'csv' : 'text';
  if (delimiter === ',' || (header && namesInQuotes(bytes))) return 'csv';
  const scan = new QuoteScan();
  scan.add(bytes);
  return scan.areQuoting(whole) ? 'csv' : 'text';
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
 * The treatment of quotes in a tab-separated file whose content decides and that is read piece by piece.
 *
 * @param pieces may each be overwritten by the next
 */
export function quotesIn(pieces: Iterable<Uint8Array>, header: boolean): Quotes | undefined {
  let has = false;
  let named: boolean | undefined;
  const scan = new QuoteScan();
  for (const piece of pieces) {
    has ||= piece.includes(QUOTE);
    named ??= header && namesInQuotes(piece);
    scan.add(piece);
  }
  if (!has) return undefined;
  return named || scan.areQuoting(true) ? 'csv' : 'text';
}

/**
 * Finds out whether all quotes of a tab-separated file are RFC 4180's: each opens a field, closes it, or is one of two
 * within it. Stray quotes could happen to be, so that those between them would swallow rows. Where all rows have the
 * same number of columns, a field that swallows some has a tab and a line break, or its row has another number of
 * columns: neither is accepted.
 */
class QuoteScan {
  private width: number | undefined;
  /** The numbers of columns of rows that would end elsewhere without the quotes. */
  private readonly depending = new Set<number>();
  private columns = 1;
  /** True if a quoted field of the row has a tab or a line break. */
  private depends = false;
  /** The state after the last byte. */
  private at: 'start' | 'plain' | 'quoted' | 'closed' = 'start';
  private hasTab = false;
  private hasBreak = false;
  private stray = false;

  add(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length && !this.stray; i++) this.take(bytes[i]!);
  }

  /** @param whole true if all bytes were added, and not only the first ones */
  areQuoting(whole: boolean): boolean {
    if (this.stray || (this.at === 'quoted' && whole)) return false;
    if (this.at !== 'quoted') this.endRow(!whole);
    const { depending, width } = this;
    return depending.size === 0 || (depending.size === 1 && depending.has(width ?? [...depending][0]!));
  }

  private take(byte: number): void {
    if (this.at === 'quoted') {
      if (byte === QUOTE) this.at = 'closed';
      else if (byte === TAB) this.hasTab = true;
      else if (isBreak(byte)) this.hasBreak = true;
      this.stray = this.hasTab && this.hasBreak;
      this.depends ||= this.hasTab || this.hasBreak;
    } else if (byte === TAB) {
      this.columns++;
      this.at = 'start';
    } else if (isBreak(byte)) this.endRow(false);
    else if (byte === QUOTE) {
      this.stray = this.at === 'plain';
      // After a closing quote: the second of two.
      if (this.at === 'start') [this.hasTab, this.hasBreak] = [false, false];
      this.at = 'quoted';
    } else {
      this.stray = this.at === 'closed';
      this.at = 'plain';
    }
  }

  private endRow(cut: boolean): void {
    const blank = this.columns === 1 && this.at === 'start';
    if (this.depends && !cut) this.depending.add(this.columns);
    else if (!blank) this.width ??= this.columns;
    [this.columns, this.depends, this.at] = [1, false, 'start'];
  }
}
