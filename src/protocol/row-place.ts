import { t } from '../base/l10n';

export type RowWord = 'line' | 'row' | 'item' | 'image';

/** A file of several that are read as one. The count of rows, or lines, continues from file to file. */
export interface FilePart {
  /** Its name, in the folder of the pattern that names them all. */
  file: string;
  /** The number that its first row or line would follow. */
  before: number;
}

/**
 * The unit that the number of a row counts: lines of a text file, rows of a Parquet file, items of a JSON array, images
 * of a folder.
 */
export function rowWord(file: string): RowWord {
  if (/\.parquet$/i.test(file)) return 'row';
  if (/\.json(\.gz)?$/i.test(file)) return 'item';
  return /\.\w+$/.test(file) ? 'line' : 'image';
}

/** "lines", or "rows" where the files have different words. */
export function rowWords(...files: string[]): string {
  const words = new Set(files.map(rowWord));
  return words.size === 1 ? `${[...words][0]}s` : 'rows';
}

/**
 * The file that a row is in, and its number there.
 *
 * @param file or a pattern, whose last part the name of a part replaces
 * @param parts undefined for a single file
 */
export function rowIn(
  file: string,
  row: number,
  parts: readonly FilePart[] | undefined,
): { file: string; row: number } {
  const part = parts?.findLast(({ before }) => before < row);
  if (!part) return { file, row };
  return { file: file.replace(/[^/\\]*$/, () => part.file), row: row - part.before };
}

/** "train.csv:3", as editors and terminals link it, or "train.parquet, row 3". */
export function rowPlace(path: string, line: number, parts?: readonly FilePart[]): string {
  const { file, row } = rowIn(path, line, parts);
  const word = rowWord(file);
  return word === 'line' ? `${file}:${row}` : `${file}, ${word} ${row}`;
}

/** The name of a file, without its folders. */
export const fileOf = (path: string): string => path.replace(/^.*[/\\]/, '');

/** "3", or "line 3 of train-00001-of-00002.csv" where there are several files. */
export function rowNumber(path: string, line: number, parts?: readonly FilePart[]): string {
  if (!parts) return String(line);
  const { file, row } = rowIn(fileOf(path), line, parts);
  return `${rowWord(file)} ${row} of ${file}`;
}

/** "line 3", or "line 3 of train-00001-of-00002.csv" where there are several files. */
export const rowName = (path: string, line: number, parts?: readonly FilePart[]): string =>
  parts ? rowNumber(path, line, parts) : `${rowWord(path)} ${line}`;

/** "train.csv, line 3" */
export const namedRow = (file: string, row: number): string => t('{0}, {1} {2}', file, t(rowWord(file)), row);

/** True if a value from a file is a list of parts. */
export const areParts = (value: unknown): value is FilePart[] =>
  Array.isArray(value) &&
  value.every(
    (part: Partial<FilePart> | null) => typeof part?.file === 'string' && typeof part.before === 'number',
  );
