import type { DataSpec } from '../experiment/experiment';
import { badRow, requireRows, type Row, type SkippedRow } from './table/rows';
import type { Encoding, Tokenizer } from './text/tokenizer';

export interface Example {
  /** Its share of a batch in tokens; a batch is padded to its largest example. */
  size: number;
  /** Index into the rows that were read. */
  row: number;
  /** The text was longer than the longest input. */
  truncated?: true;
}

/** The input of a text model. */
export type Texts = Pick<Row, 'text' | 'pair'>;

export interface TextExample extends Example {
  ids: Int32Array;
  typeIds?: Int32Array;
}

export interface Dataset<E extends Example = Example> {
  examples: E[];
  /** Examples whose text was truncated to the longest input. */
  truncatedCount: number;
  skipped: SkippedRow[];
}

export interface TextDataset<E extends TextExample = TextExample> extends Dataset<E> {
  padId: number;
}

/** A pass over the training data: what random changes of its inputs depend on, so that a resume repeats them. */
export interface TrainingPass {
  seed: number;
  epoch: number;
}

export interface DatasetOptions {
  /** The file the rows are from, for messages. */
  path: string;
  padId: number;
  onBadRow: DataSpec['onBadRow'];
}

/** Every row as an example, without those that the tokenizer leaves empty, which are bad rows. */
export function makeDataset<R extends Row, E extends TextExample>(
  rows: readonly R[],
  { path, padId, onBadRow }: DatasetOptions,
  exampleOf: (row: R, index: number) => E,
): TextDataset<E> {
  const dataset: TextDataset<E> = { examples: [], truncatedCount: 0, padId, skipped: [] };
  rows.forEach((row, index) => {
    const example = exampleOf(row, index);
    if (example.size === 0) {
      // A language model's example has tokens, but truncation may leave none to predict.
      const reason =
        example.ids.length === 0
          ? 'the tokenizer produces no tokens for the text'
          : 'no token of the answer is left within model.maxLength';
      badRow(path, { line: row.line, reason }, onBadRow, dataset.skipped);
      return;
    }
    dataset.examples.push(example);
    if (example.truncated) dataset.truncatedCount++;
  });
  requireRows(path, dataset.examples.length, dataset.skipped);
  return dataset;
}

/** A row's tokens: one text, or two in the tokenizer's own format. */
export const encodeRow = (tokenizer: Tokenizer, { text, pair }: Texts, maxLength: number): Encoding =>
  pair === undefined ? tokenizer.encode(text, maxLength) : tokenizer.encodePair(text, pair, maxLength);

export const textExample = ({ ids, typeIds, truncated }: Encoding, row: number): TextExample => ({
  size: ids.length,
  ids: Int32Array.from(ids),
  ...(typeIds && { typeIds: Int32Array.from(typeIds) }),
  row,
  ...(truncated && { truncated }),
});
