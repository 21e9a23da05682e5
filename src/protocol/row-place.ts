export type RowWord = 'line' | 'row' | 'item' | 'image';

/** What the number of a row counts: lines of a text file, rows of a Parquet file, items of a JSON array, images of a folder. */
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

/** "train.csv:3", as editors and terminals link it, or "train.parquet, row 3". */
export function rowPlace(file: string, row: number): string {
  const word = rowWord(file);
  return word === 'line' ? `${file}:${row}` : `${file}, ${word} ${row}`;
}

/** "train.csv, line 3" */
export const namedRow = (
  file: string,
  row: number,
  t: (sentence: string, ...values: (string | number)[]) => string,
): string => t('{0}, {1} {2}', file, t(rowWord(file)), row);
