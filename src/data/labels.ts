import { AuroraError } from '../base/errors';
import { nearest } from '../base/nearest';
import type { DataSpec } from '../experiment/experiment';
import { type List, pick } from './list';
import { refuseBadRows } from './table/bad-rows';
import { markedOf, requireRows, type Row, type Rows } from './table/rows';

const compareStrings = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Every label once: in numeric order if all are integers, else by code units, so that no locale plays a part. */
export function distinctLabels(all: Iterable<string>): string[] {
  const labels = [...new Set(all)].sort(compareStrings);
  const numeric = labels.every((l) => /^-?\d+$/.test(l));
  return numeric ? labels.sort((a, b) => Number(a) - Number(b)) : labels;
}

/** The labels of rows that have one each. */
export function labelsIn(rows: Iterable<Row>): Set<string> {
  const labels = new Set<string>();
  for (const { label } of rows) labels.add(label);
  return labels;
}

/** The classes of a training set, in the order of the model's outputs. Throws a data error below two. */
export function inferLabels(path: string, trainingLabels: Iterable<string>): string[] {
  const labels = distinctLabels(trainingLabels);
  if (labels.length < 2)
    throw new AuroraError(
      'labels',
      `${path} has ${labels.length === 0 ? 'no label' : `only the label "${labels[0]}"`}; two or more are needed.`,
      'Check data.labelColumn.',
    );
  return labels;
}

/** Labels in the order in which their file names them, which is that of models that were trained on its numbers. */
export function inNamedOrder(labels: readonly string[], names: readonly string[] = []): string[] {
  const places = labelIndex(names);
  return labels.every((label) => places.has(label))
    ? labels.toSorted((a, b) => places.get(a)! - places.get(b)!)
    : [...labels];
}

/** Label to class index. */
export const labelIndex = (labels: readonly string[]): Map<string, number> =>
  new Map(labels.map((label, i) => [label, i]));

/**
 * Rows whose label is among those that are trained; the others are a data error, or skipped.
 *
 * @throws AuroraError 'labels' if no label of the file is published, whatever `onBadRow` says
 */
export function withKnownLabels<R extends Row, L extends List<R>>(
  path: string,
  { rows, ...read }: Rows<R, L>,
  labels: readonly string[],
  onBadRow: DataSpec['onBadRow'],
  labelsOf: (row: R) => readonly string[] = ({ label }) => [label],
): Rows<R, L> {
  const known = new Set(labels);
  const hidden = String(UNPUBLISHED);
  if (!known.has(hidden)) requirePublished(path, rows, (row) => labelsOf(row)[0] === hidden);
  const skipped = [...read.skipped];
  const kept: number[] = [];
  let place = -1;
  for (const row of markedOf(rows)) {
    place++;
    const unknown = labelsOf(row).find((label) => !known.has(label));
    if (unknown === undefined) {
      kept.push(place);
      continue;
    }
    // The nearest number is not the intended one.
    const near = /\d/.test(unknown) ? undefined : nearest(unknown, labels);
    const reason = `the label "${unknown}" is not among the ${labels.length} that are trained${near === undefined ? '' : ` (nearest: "${near}")`}`;
    skipped.push({ line: row.line, reason, unknownLabel: unknown });
  }
  refuseBadRows(path, skipped, onBadRow, read.parts);
  requireRows(path, kept.length, skipped, read.parts);
  return { ...read, rows: pick(rows, kept), skipped };
}

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
