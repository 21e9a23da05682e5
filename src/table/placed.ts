import { formatOf } from './data-files';
import { placedDelimited } from './delimited';
import { placedJsonl } from './json';
import { takePieces } from './pieces';
import { quotesIn, type DelimitedOptions, type Quotes } from './quoting';
import type { PlacedTable } from './records';

export type PlacedOptions = Omit<DelimitedOptions, 'delimiter'>;

/** True if the records of a file can be read one by one: not those of compressed files, nor those of other formats. */
export const canBePlaced = (path: string): boolean =>
  !/\.gz$/i.test(path) && ['csv', 'tsv', 'jsonl'].includes(formatOf(path) ?? '');

/**
 * A file that may be larger than memory.
 *
 * @param known the treatment of its quotes, if its content has decided that before
 * @param pieceSize bytes that are read at once
 * @throws AuroraError 'data' as `readDataFile`
 */
export function openPlaced(
  path: string,
  options: PlacedOptions,
  known?: { quotes?: Quotes },
  pieceSize?: number,
): PlacedTable {
  const format = formatOf(path);
  if (format === 'jsonl') return placedJsonl(path, pieceSize);
  const delimiter = format === 'csv' ? ',' : '\t';
  const { quoting = 'auto', header = true } = options;
  const quotes =
    quoting !== 'auto'
      ? quoting === 'csv'
        ? 'csv'
        : 'text'
      : delimiter === ','
        ? 'csv'
        : known
          ? known.quotes
          : quotesIn(bytesOf(path, pieceSize), header);
  return placedDelimited(path, { ...options, delimiter }, quotes, pieceSize);
}

const bytesOf = (path: string, pieceSize?: number): Iterable<Uint8Array> =>
  takePieces(path, (bytes) => ({ taken: bytes.length, found: bytes }), pieceSize);
