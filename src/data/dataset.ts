import type { ReadWatch } from './stream/build-index';
import type { DataSpec } from '../experiment/experiment';
import type { List } from './list';
import type { FilePart } from '../protocol/row-place';
import { NOTHING_LEFT, refuseBadRows } from './table/bad-rows';
import { requireRows, type Row, type SkippedRow } from './table/rows';
import type { Encoding, Tokenizer } from './text/tokenizer';
import { Turns } from './turns';

export interface Example {
  /** Its share of a batch in tokens; a batch is padded to its largest example. */
  size: number;
  /** Index into the rows that were read. */
  row: number;
  /** The text was longer than the longest input. */
  truncated?: true;
  /** The row of each text that is packed into it, where that may be several. */
  textRows?: readonly number[];
}

/** The input of a text model. */
export type Texts = Pick<Row, 'text' | 'pair'>;

export interface TextExample extends Example {
  ids: Int32Array;
  typeIds?: Int32Array;
  /** For a row of several texts: where in it the text of each token begins. */
  begins?: Int32Array;
}

/** An example's answer and size: all but its input. */
export type Answered<E extends Example> = Omit<E, 'ids' | 'typeIds' | 'source'>;

/** The examples of a data set. Large data are read from disk when they are needed. */
export interface Examples<E extends Example = Example> extends List<E> {
  /** The size of each, where examples are read from disk. */
  readonly sizes?: ArrayLike<number>;
  /** The answer of each, where it is known without reading the example. */
  readonly answered?: Iterable<Answered<E>>;
  /** The number of tokens of each that are to be predicted, where examples are read from disk. */
  readonly counted?: ArrayLike<number>;
  /** Identifies their inputs, where reading them all would take long. */
  readonly digest?: string;
}

export const sizeOf = ({ examples }: Dataset, index: number): number =>
  examples.sizes ? examples.sizes[index]! : examples.at(index)!.size;

export const sizesOf = ({ examples }: Dataset): ArrayLike<number> =>
  examples.sizes ?? Int32Array.from(examples, (e) => e.size);

export const answeredOf = <E extends Example>(examples: Examples<E>): Iterable<Answered<E>> =>
  examples.answered ?? examples;

export interface Dataset<E extends Example = Example> {
  examples: Examples<E>;
  /** Examples whose text was truncated to the longest input. */
  truncatedCount: number;
  skipped: SkippedRow[];
}

export interface TextDataset<E extends TextExample = TextExample> extends Dataset<E> {
  padId: number;
}

/** A pass over the training data: the key of random changes of its inputs, so that a resume repeats them. */
export interface TrainingPass {
  seed: number;
  epoch: number;
}

export interface DatasetOptions {
  /** The file the rows are from, for messages. */
  path: string;
  parts?: readonly FilePart[];
  padId: number;
  onBadRow: DataSpec['onBadRow'];
  /** Called with the progress from time to time; may throw to stop reading. */
  watch?: ReadWatch;
}

/**
 * Every row as an example, without those that the tokenizer leaves empty, which are bad rows. Signals and timers are served
 * between rows.
 */
export async function makeDataset<R extends Row, E extends TextExample>(
  rows: List<R>,
  { path, parts, padId, onBadRow, watch }: DatasetOptions,
  exampleOf: (row: R, index: number) => E,
): Promise<TextDataset<E> & { examples: E[] }> {
  const examples: E[] = [];
  const skipped: SkippedRow[] = [];
  let [index, truncatedCount] = [0, 0];
  const tell = (done: number) => watch?.({ path, done, of: rows.length, unit: 'rows' });
  const turns = new Turns();
  tell(0);
  for (const row of rows) {
    if (turns.due) {
      await turns.take();
      tell(index);
    }
    const example = exampleOf(row, index++);
    if (example.size === 0) {
      const reason = emptyReason(example.ids.length === 0);
      skipped.push({ line: row.line, reason });
      continue;
    }
    examples.push(example);
    if (example.truncated) truncatedCount++;
  }
  tell(index);
  refuseBadRows(path, skipped, onBadRow, parts);
  requireRows(path, examples.length, skipped, parts);
  return { examples, truncatedCount, padId, skipped };
}

/**
 * The reason why an example has nothing to learn: one of a language model has tokens, but truncation may leave none to
 * predict.
 */
export const emptyReason = (noTokens: boolean): string =>
  noTokens ? 'the tokenizer produces no tokens for the text' : NOTHING_LEFT;

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
