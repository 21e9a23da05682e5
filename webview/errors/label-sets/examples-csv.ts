import { ANSWER_MISSED, ANSWER_SPURIOUS } from '../../../src/protocol/prediction-columns';
import { examplesCsv } from '../examples-csv';
import type { LabelSetModel } from '../model';

/** Labels are separated by "; ". */
export function labelSetCsv(model: LabelSetModel, examples: readonly number[]): string {
  const { labels, columns: c } = model;
  const listed = (example: number, without: number) =>
    model
      .partsOf(example)
      .filter((p) => p.found !== without)
      .map((p) => labels[p.label])
      .join('; ');
  return examplesCsv(model, examples, ['labels', 'predicted', 'loss', 'margin'], (i) => [
    listed(i, ANSWER_SPURIOUS),
    listed(i, ANSWER_MISSED),
    c.loss[i],
    c.margin[i],
  ]);
}
