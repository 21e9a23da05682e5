import { newColumns, type Columns } from '../../protocol/predictions';
import type { DataSplit } from '../../tasks/text-data';
import { argmax, crossEntropy, softmax } from '../../tasks/softmax';

/** float32's precision; keeps the file short. */
const DIGITS = 6;

/** @param logits of each example, in data order, concatenated */
export function columnsOf({ rows, dataset }: DataSplit, logits: Float32Array): Columns {
  const { examples } = dataset;
  const columns = newColumns(examples.length);
  const classes = logits.length / examples.length;
  examples.forEach(({ row, label, ids, truncated }, i) => {
    const own = logits.subarray(i * classes, (i + 1) * classes);
    const shares = softmax(own);
    const predicted = argmax(own);
    const next = shares.reduce((most, p, c) => (c === predicted ? most : Math.max(most, p)), 0);
    columns.line[i] = rows[row].line;
    columns.label[i] = label;
    columns.predicted[i] = predicted;
    columns.probability[i] = rounded(shares[predicted]);
    columns.truth[i] = rounded(shares[label]);
    columns.loss[i] = rounded(crossEntropy(own, label));
    columns.margin[i] = rounded(shares[predicted] - next);
    columns.tokens[i] = ids.length;
    columns.cut[i] = Number(truncated ?? false);
  });
  return columns;
}

const rounded = (value: number): number => Number(value.toPrecision(DIGITS));
