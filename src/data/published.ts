import { AuroraError } from '../base/errors';
import { markedOf, type Row } from './table/rows';
import type { List } from './list';

/** The value that data sets of the hub have in place of an answer that is not published: also where it is a number. */
export const UNPUBLISHED = -1;

/**
 * Refuses a set whose answers are not published, since a score on it would mean nothing. Not for the training data.
 *
 * @param hidden true if a row has -1 for its answer
 * @throws AuroraError 'labels' if no row has another
 */
export function requirePublished<R extends Row>(
  path: string,
  rows: List<R>,
  hidden: (row: R) => boolean,
): void {
  for (const row of markedOf(rows)) if (!hidden(row)) return;
  throw new AuroraError(
    'labels',
    `${path}: the answer of every row is ${UNPUBLISHED}, which stands for an answer that is not published, as in GLUE’s test sets.`,
    'Name a file with published answers, such as the validation set, or remove this one from the experiment.',
  );
}
