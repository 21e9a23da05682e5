import { basename } from 'node:path';
import { AuroraError } from '../../base/errors';
import { count } from '../../base/number-text';
import type { List } from '../../data/list';
import { lineOf, type Row } from '../../data/table/rows';
import { type FilePart, rowIn, rowName, rowPlace, rowWord } from '../../protocol/row-place';
import { SPLITS, type SplitName } from '../../protocol/tokens';
import type { EncodableRows } from '../../tasks/task-data';

type Splits = EncodableRows['splits'];

/** A row as a person names it. */
export interface RowChoice {
  /** The first row if undefined. "12", or "train.csv:12" as in errors. */
  row?: string;
  /** Undefined: the split that has the row, or training. */
  split?: SplitName;
}

/** The split, and the index among its rows. */
export interface FoundRow {
  split: SplitName;
  index: number;
}

/**
 * Finds a row by its number in its file, which is that of errors and reports. The number of any line of a row stands for
 * the row.
 *
 * @param shared true if both splits are shares of one file
 * @throws AuroraError 'usage' if there is no such row, or it belongs to the other split; 'data' if it cannot be used
 */
export function findRow(splits: Splits, { row, split }: RowChoice, shared: boolean): FoundRow {
  if (row === undefined) return { split: split ?? 'train', index: 0 };
  const { file, number } = parsed(row);
  const named = splitWith(splits, file, split);
  const sides = shared ? SPLITS : [named];
  const { path, parts } = splits[named];
  const line = lineIn(path, parts, file, number);
  const lines = sides.flatMap((name) => linesOf(splits[name]));
  if (line < least(lines) || line > most(lines)) throw noSuchRow(splits, sides, row);
  const [best] = sides
    .map((name) => ({ name, index: lastUpTo(splits[name].rows, line) }))
    .filter(({ index }) => index >= 0)
    .map((found) => ({ ...found, line: lineOf(splits[found.name].rows, found.index) }))
    .sort((a, b) => b.line - a.line);
  const bad = sides
    .flatMap((name) => splits[name].skipped)
    .filter((skipped) => skipped.line <= line)
    .sort((a, b) => b.line - a.line)[0];
  if (bad && (!best || bad.line > best.line))
    throw new AuroraError(
      'data',
      `${rowPlace(path, bad.line, parts)}: ${bad.reason}.`,
      'Training cannot use this row. Correct it, or choose another.',
    );
  const { name, index } = best!;
  if (split === undefined || split === name) return { split: name, index };
  throw new AuroraError(
    'usage',
    `${rowPlace(path, best!.line, parts)} belongs to the ${WORD[name]} data, not to the ${WORD[split]} data.`,
    `Use --split ${name}, or omit --split.`,
  );
}

const WORD: Record<SplitName, string> = { train: 'training', validation: 'validation' };

function parsed(row: string): { file?: string; number: number } {
  const [, file, digits] = /^(?:(.+):)?([1-9]\d{0,14})$/.exec(row) ?? [];
  if (digits === undefined)
    throw new AuroraError(
      'usage',
      `"${row}" is not the number of a row.`,
      'Give it as errors do: 12 for line 12, or train.csv:12.',
    );
  return { number: Number(digits), ...(file !== undefined && { file: basename(file) }) };
}

/** The split with the file; the wanted one, or training, if several have it or no file is given. */
function splitWith(splits: Splits, file: string | undefined, split: SplitName = 'train'): SplitName {
  if (file === undefined) return split;
  const found = [split, ...SPLITS].find((name) => filesOf(splits[name]).includes(file));
  if (found) return found;
  const known = [...new Set(SPLITS.flatMap((name) => filesOf(splits[name])))];
  throw new AuroraError(
    'usage',
    `The experiment does not read ${file}.`,
    `Its files are ${known.slice(0, 5).join(', ')}${known.length > 5 ? ', …' : ''}.`,
  );
}

const filesOf = ({ path, parts }: Splits[SplitName]): string[] =>
  parts?.map((part) => part.file) ?? [basename(path)];

/** The number counted through all files of a pattern. */
function lineIn(
  path: string,
  parts: readonly FilePart[] | undefined,
  file: string | undefined,
  number: number,
): number {
  if (!parts) return number;
  const at = parts.findIndex((part) => part.file === file);
  if (at < 0)
    throw new AuroraError(
      'usage',
      `${path} names ${parts.length} files, so a number alone does not name a row.`,
      `Name the file too: ${parts[0]!.file}:${number}.`,
    );
  const line = parts[at]!.before + number;
  const next = parts[at + 1]?.before ?? Infinity;
  if (line > next)
    throw new AuroraError(
      'usage',
      `${file} ends with ${rowWord(file!)} ${next - parts[at]!.before}, so it has no ${rowWord(file!)} ${number}.`,
    );
  return line;
}

/** The index of the last row that begins at the line or before it; -1 if there is none. */
function lastUpTo(rows: List<Row>, line: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lineOf(rows, middle) <= line) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The lines of the first and last rows, and of those that are left out. */
function linesOf({ rows, skipped }: Splits[SplitName]): number[] {
  const ends = rows.length === 0 ? [] : [lineOf(rows, 0), lineOf(rows, rows.length - 1)];
  return [...ends, ...skipped.map((s) => s.line)];
}

const least = (numbers: readonly number[]): number => numbers.reduce((a, b) => Math.min(a, b), Infinity);
const most = (numbers: readonly number[]): number => numbers.reduce((a, b) => Math.max(a, b), -Infinity);

function noSuchRow(splits: Splits, sides: readonly SplitName[], row: string): AuroraError {
  const { path, parts } = splits[sides[0]!];
  const lines = sides.flatMap((name) => linesOf(splits[name]));
  const number = sides.reduce((n, name) => n + splits[name].rows.length + splits[name].skipped.length, 0);
  const [first, last] = [least(lines), most(lines)].map((line) => rowName(path, line, parts));
  return new AuroraError(
    'usage',
    `${path} has no row ${row}. It has ${number === 1 ? `1 row, ${first}` : `${count(number)} rows, from ${first} to ${last}`}.`,
    'Give the number of one of them, as errors do.',
  );
}

/** The row as `findRow` takes it. */
export function nameOfRow({ path, rows, parts }: Splits[SplitName], index: number): string {
  const line = lineOf(rows, index);
  const { file, row } = rowIn(path, line, parts);
  return parts ? `${basename(file)}:${row}` : String(row);
}
