import { AuroraError } from '../../base/errors';
import type { DataSpec } from '../../experiment/experiment';
import { rowPlace, type FilePart } from '../../protocol/row-place';
import { INVALID_UTF8 } from '../../table/records';
import type { SkippedRow } from './rows';

/** The reason of a row that has tokens, but none that counts in the loss. */
export const NOTHING_LEFT = 'no token of the answer is left within model.maxLength';

/** The most rows that an error names, one per line. */
const NAMED_ROWS = 5;

/**
 * Throws a data error that names the first rows that cannot be used, "FILE:LINE: why", and how many more there are; if the
 * experiment skips them, it does nothing.
 *
 * @param whole true if all rows have been looked at
 */
export function refuseBadRows(
  path: string,
  bad: readonly SkippedRow[],
  onBadRow: DataSpec['onBadRow'],
  parts?: readonly FilePart[],
  whole = true,
): void {
  if (onBadRow === 'skip' || bad.length === 0) return;
  const named = bad
    .slice(0, NAMED_ROWS)
    .map(({ line, reason }) => `${rowPlace(path, line, parts)}: ${reason}.`);
  const more = bad.length - named.length;
  const rest = whole
    ? more > 0
      ? [`${more === 1 ? '1 more row' : `${more} more rows`} cannot be used.`]
      : []
    : ['There may be more.'];
  const hint =
    bad[0]!.reason === INVALID_UTF8
      ? 'Save the file as UTF-8: in VS Code, click the encoding in the Status Bar, reopen with the one in which the text is right, then save with UTF-8.'
      : correctionOf(bad, bad.length === 1 && whole);
  throw new AuroraError('data', [...named, ...rest].join('\n'), hint);
}

/** Advice for rows that stop training. @param single true if it is a single row */
export function correctionOf(bad: readonly SkippedRow[], single: boolean): string {
  const images = bad.every(({ ofImage }) => ofImage);
  if (bad.every(({ reason }) => reason === NOTHING_LEFT))
    return `\`aurora tokens\` shows what of ${single ? 'the row' : 'a row'} counts. Raise model.maxLength, or set data.onBadRow to "skip" to train without such rows.`;
  const what = images
    ? single
      ? 'Restore the image'
      : 'Restore the images'
    : single
      ? 'Correct the row'
      : 'Correct the rows';
  return `${what}, or set data.onBadRow to "skip" to train without such ${images ? 'images' : 'rows'}.`;
}
