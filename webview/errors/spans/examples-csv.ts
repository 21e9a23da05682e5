import { ANSWER_MISSED, ANSWER_SPURIOUS } from '../../../src/protocol/predictions';
import { csv } from '../../ui/csv';
import type { SpanModel } from '../model';
import { spansOf } from './model';

/** Everything known about some examples, for a spreadsheet. Spans are written as "0-5:PER; 11-16:LOC". */
export function examplesCsv(model: SpanModel, examples: readonly number[]): string {
  const { labels, columns: c, texts } = model;
  const listed = (example: number, without: number) =>
    spansOf(model, example)
      .filter((s) => s.found !== without)
      .map((s) => `${s.start}-${s.end}:${labels[s.label]}`)
      .join('; ');
  return csv([
    ['line', 'expected', 'predicted', 'loss', 'margin', 'tokens', 'cut', 'text'],
    ...examples.map((i) => [
      c.line[i],
      listed(i, ANSWER_SPURIOUS),
      listed(i, ANSWER_MISSED),
      c.loss[i],
      c.margin[i],
      c.tokens[i],
      c.cut[i],
      texts.get(i)?.text ?? '',
    ]),
  ]);
}
