import { basename } from 'node:path';
import type { FilePart } from '../../protocol/row-place';
import { formatOf } from '../../table/files';
import { bytesRead } from '../../table/pieces';
import type { PlacedTable } from '../../table/records';
import { alikeQuotes, requireSameColumns, type SeveralFiles } from '../table/several';

/**
 * Several text files as one: lines and bytes are counted on from file to file.
 *
 * @param files with their sizes in bytes
 * @param check throws if a file lacks the wanted columns
 * @throws AuroraError 'data' for a file that has other columns than the first one, while it is read
 */
export function severalPlaced(
  pattern: string,
  files: readonly { path: string; size: number }[],
  open: (path: string) => PlacedTable,
  check: (path: string, columns: string[]) => void,
): PlacedTable & SeveralFiles {
  const tables = files.map(({ path, size }) => ({ path, size, table: open(path) }));
  const parts: FilePart[] = [];
  const quotes = tables.reduce(
    (all, { table }) => alikeQuotes(pattern, all, table.quotes),
    undefined as PlacedTable['quotes'],
  );
  const [first] = tables;
  // The keys of JSON objects may differ, and are known at the end of the file.
  const hasHeader = formatOf(pattern) !== 'jsonl';
  const checkColumns = ({ path, table }: (typeof tables)[number]) => {
    check(path, table.columns());
    if (hasHeader) requireSameColumns(first!.path, first!.table.columns(), path, table.columns());
  };
  return {
    parts,
    ...(quotes && { quotes }),
    columns: () => [...new Set(tables.flatMap(({ table }) => table.columns()))],
    async *pieces() {
      let [start, last] = [0, 0];
      for (const one of tables) {
        const before = last;
        parts.push({ file: basename(one.path), before });
        for await (const records of one.table.pieces()) {
          if (hasHeader && records.length > 0) checkColumns(one);
          yield records.map(({ record, start: at, bytes }) => {
            last = before + record.line;
            return { record: { ...record, line: last }, start: start + at, bytes };
          });
        }
        checkColumns(one);
        start += one.size;
      }
    },
    bytesRead,
    // A file without quotes decided nothing about them.
    reader: (columns) =>
      (tables.find(({ table }) => table.quotes === quotes) ?? first!).table.reader(columns),
  };
}
