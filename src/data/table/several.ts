import { basename } from 'node:path';
import { AuroraError } from '../../base/errors';
import { filesOf } from '../../files/pattern';
import type { FilePart } from '../../protocol/row-place';
import { dataFormat } from '../../table/data-files';
import type { DataRecord, Table } from '../../table/records';

/** Additional facts about several files that are read as one. */
export interface SeveralFiles {
  /** The files that have been begun: a record's line is in the last one that begins before it. */
  parts: FilePart[];
}

/**
 * The files of a pattern as one table: their records one after the other, with lines that are counted on. Each file is
 * opened when the one before has been read.
 *
 * @param check throws if a file lacks the wanted columns
 * @throws AuroraError 'data' for a file that has others than the first one, also while records are read
 */
export async function openSeveral<T extends Table>(
  pattern: string,
  open: (path: string) => Promise<T>,
  check: (path: string, columns: string[]) => void,
): Promise<Table & SeveralFiles & { first: T }> {
  requireFormat(pattern);
  const [path, ...others] = filesOf(pattern);
  const first = await open(path);
  check(path, first.columns);
  const parts: FilePart[] = [];
  const table = {
    first,
    parts,
    columns: first.columns,
    quotes: first.quotes,
    labelNames: first.labelNames,
    async *records(wanted: readonly string[]): AsyncGenerator<DataRecord[]> {
      parts.length = 0;
      let last = 0;
      const read = async function* (file: string, own: T) {
        const before = last;
        parts.push({ file: basename(file), before });
        for await (const records of own.records(wanted)) {
          const counted = before === 0 ? records : records.map((r) => ({ ...r, line: r.line + before }));
          last = counted.at(-1)?.line ?? last;
          yield counted;
        }
      };
      yield* read(path, first);
      for (const file of others) {
        const own = await open(file);
        check(file, own.columns);
        requireAlike({ path, table: first }, { path: file, table: own }, wanted);
        table.quotes = alikeQuotes(pattern, table.quotes, own.quotes);
        yield* read(file, own);
      }
    },
  };
  return table;
}

/** All files of a pattern have one format: that of its ending. */
function requireFormat(pattern: string): void {
  try {
    dataFormat(pattern);
  } catch (cause) {
    throw new AuroraError(
      'data',
      (cause as Error).message,
      'End the pattern as the files end, as in train-*.parquet: all of them have the same format.',
      { cause },
    );
  }
}

/** Tables with a header, or a schema, must have the same columns; the keys of JSON objects may differ. */
function requireAlike(
  first: { path: string; table: Table },
  other: { path: string; table: Table },
  wanted: readonly string[],
): void {
  if (!['jsonl', 'json'].includes(dataFormat(first.path)))
    requireSameColumns(first.path, first.table.columns, other.path, other.table.columns);
  for (const column of wanted) {
    const [names, own] = [first, other].map(({ table }) =>
      JSON.stringify(table.labelNames?.(column) ?? null),
    );
    if (names !== own)
      throw new AuroraError(
        'labels',
        `${other.path} names other labels of "${column}" than ${basename(first.path)}: the same number would mean different labels.`,
        'Read only files that belong to the same data set.',
      );
  }
}

/** @throws AuroraError 'data' naming the second file if its columns are not those of the first one, in their order */
export function requireSameColumns(
  path: string,
  columns: readonly string[],
  other: string,
  own: readonly string[],
): void {
  if (columns.length === own.length && columns.every((name, i) => name === own[i])) return;
  const missing = columns.filter((name) => !own.includes(name));
  const more = own.filter((name) => !columns.includes(name));
  const listed = (names: readonly string[]) =>
    names
      .slice(0, 5)
      .map((name) => `"${name}"`)
      .join(', ') + (names.length > 5 ? ', …' : '');
  const how = [
    ...(missing.length ? [`lacks ${listed(missing)}`] : []),
    ...(more.length ? [`also has ${listed(more)}`] : []),
  ];
  throw new AuroraError(
    'data',
    `The columns of ${other} do not match those of ${basename(path)}: it ${how.join(' and ') || 'has them in another order'}.`,
    'Files that are read as one must have the same columns. Name only those that belong together.',
  );
}

/** @throws AuroraError 'data' if the quotes of some files are read as those of CSV, and of others as texts */
export function alikeQuotes<Q extends string>(
  pattern: string,
  a: Q | undefined,
  b: Q | undefined,
): Q | undefined {
  if (a !== undefined && b !== undefined && a !== b)
    throw new AuroraError(
      'data',
      `${pattern}: the quotes of some files enclose fields, and those of others are part of the texts.`,
      'Set data.quoting to "csv" or "none".',
    );
  return a ?? b;
}
