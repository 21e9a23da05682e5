import { csv } from '../../ui/csv';
import type { LabelModel } from '../model';

/** Everything known about some examples, for a spreadsheet. */
export function examplesCsv({ labels, columns: c, texts }: LabelModel, examples: readonly number[]): string {
  const hasPairs = [...texts.values()].some((e) => e.pair !== undefined);
  return csv([
    [
      'line',
      'label',
      'predicted',
      'probability',
      'label_probability',
      'loss',
      'margin',
      'tokens',
      'cut',
      'text',
      ...(hasPairs ? ['pair'] : []),
    ],
    ...examples.map((i) => [
      c.line[i],
      labels[c.label[i]],
      labels[c.predicted[i]],
      c.probability[i],
      c.truth[i],
      c.loss[i],
      c.margin[i],
      c.tokens[i],
      c.cut[i],
      texts.get(i)?.text ?? '',
      ...(hasPairs ? [texts.get(i)?.pair ?? ''] : []),
    ]),
  ]);
}
