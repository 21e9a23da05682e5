import { confusedPairs, confusionOf, mostConfused } from '../../src/protocol/errors-view/confusion';
import { labelSlices, lengthBins, lengthSlices, worstLabels } from '../../src/protocol/errors-view/slices';
import type { PredictionsMessage } from '../../src/protocol/panels/errors';

/** With more labels, a matrix cannot be read at a glance. */
const MOST_LABELS = 30;

export type Model = ReturnType<typeof modelOf>;

/** What the page shows of a set of predictions, computed once. */
export function modelOf({ run, experiment, file, predictions }: PredictionsMessage) {
  const { labels, columns, excerpts, metrics, step, form, inputs } = predictions;
  const confusion = confusionOf(columns, labels.length);
  const byLabel = labelSlices(columns, labels.length);
  const bins = lengthBins(columns.tokens);
  const all = [...labels.keys()];
  return {
    run,
    experiment,
    file,
    step,
    form,
    labels,
    columns,
    metrics,
    inputs,
    examples: columns.label.length,
    right: byLabel.reduce((n, slice) => n + slice.right, 0),
    confusion,
    pairs: confusedPairs(confusion),
    /** Those in the matrix. */
    shown: labels.length > MOST_LABELS ? mostConfused(confusion, MOST_LABELS) : all,
    byLabel,
    worst: worstLabels(byLabel),
    bins,
    byLength: lengthSlices(columns, bins),
    texts: new Map(excerpts.map(({ example, text }) => [example, text])),
  };
}
