import { examplesCsv } from '../examples-csv';
import type { LabelModel } from '../model';

export const labelCsv = (model: LabelModel, examples: readonly number[]): string => {
  const { labels, columns: c } = model;
  return examplesCsv(
    model,
    examples,
    ['label', 'predicted', 'probability', 'label_probability', 'loss', 'margin'],
    (i) => [labels[c.label[i]], labels[c.predicted[i]], c.probability[i], c.truth[i], c.loss[i], c.margin[i]],
  );
};
