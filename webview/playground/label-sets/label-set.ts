import type { PlaySample } from '../../../src/protocol/playground';
import type { SpanState } from '../../spans/segments';
import type { Shares } from '../answers';
import type { Column } from '../columns';
import { ranked, sharesOf } from '../labels/shares';

/** A label is predicted above this probability. */
export const THRESHOLD = 0.5;

/** The predicted labels, most likely first. */
export const predictedLabels = (labels: readonly string[], prediction: Shares): string[] =>
  ranked(prediction)
    .filter((i) => prediction.probabilities[i] > THRESHOLD)
    .map((i) => labels[i]);

/** A column's predicted labels; undefined if it has no answer yet, or answers otherwise. */
export function labelSetOf(column: Column): string[] | undefined {
  const { facts } = column.subject;
  const shares = sharesOf(column);
  return facts?.answer === 'labels' && shares ? predictedLabels(facts.labels, shares) : undefined;
}

/**
 * What became of a label; undefined if it is neither predicted nor in the data.
 *
 * @param truth the row that is asked about; undefined if the text is not from there
 */
export function stateOf(
  label: string,
  predicted: readonly string[],
  truth: PlaySample | undefined,
): SpanState | undefined {
  const isPredicted = predicted.includes(label);
  if (!truth?.labels) return isPredicted ? 'predicted' : undefined;
  const isTrue = truth.labels.includes(label);
  return isTrue ? (isPredicted ? 'found' : 'missed') : isPredicted ? 'spurious' : undefined;
}
