import { ANSWER_MISSED, ANSWER_SPURIOUS } from '../../../src/protocol/prediction-columns';
import { examplesCsv } from '../examples-csv';
import type { SpanModel } from '../model';

/** Spans are written as "0-5:PER; 11-16:LOC". */
export function spanCsv(model: SpanModel, examples: readonly number[]): string {
  const { labels, columns: c } = model;
  const listed = (example: number, without: number) =>
    model
      .partsOf(example)
      .filter((s) => s.found !== without)
      .map((s) => `${s.start}-${s.end}:${labels[s.label]}`)
      .join('; ');
  return examplesCsv(model, examples, ['expected', 'predicted', 'loss', 'margin'], (i) => [
    listed(i, ANSWER_SPURIOUS),
    listed(i, ANSWER_MISSED),
    c.loss[i],
    c.margin[i],
  ]);
}
