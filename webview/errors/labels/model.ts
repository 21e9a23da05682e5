import { confusedPairs, confusionOf, mostConfused } from '../../../src/protocol/errors-view/confusion';
import { labelSlices, worstLabels } from '../../../src/protocol/errors-view/slices';
import type { LabelAnswers } from '../../../src/protocol/predictions';

/** With more labels, a matrix cannot be read at a glance. */
const MOST_LABELS = 30;

export function labelParts({ answer, labels, columns }: LabelAnswers, wrong: Uint8Array) {
  const confusion = confusionOf(columns, labels.length);
  const byLabel = labelSlices(columns, wrong, labels.length);
  return {
    answer,
    columns,
    confusion,
    pairs: confusedPairs(confusion),
    /** Those in the matrix. */
    shown: labels.length > MOST_LABELS ? mostConfused(confusion, MOST_LABELS) : [...labels.keys()],
    byLabel,
    worst: worstLabels(byLabel),
  };
}
