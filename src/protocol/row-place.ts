/** What the number of a row counts: lines of a text file, rows of a Parquet file, items of a JSON array. */
export const rowWord = (file: string): 'line' | 'row' | 'item' =>
  /\.parquet$/i.test(file) ? 'row' : /\.json(\.gz)?$/i.test(file) ? 'item' : 'line';

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
