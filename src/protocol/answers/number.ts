import {
  areColumns,
  arraysOf,
  COLUMNS,
  type AnswersInWords,
  type ParseAnswers,
  type ColumnsOf,
  type Lists,
} from './answer-kind';

export const NUMBER_COLUMNS = {
  ...COLUMNS,
  /** The true and the predicted number. */
  value: Float64Array,
  predicted: Float64Array,
} as const;
export type NumberColumns = ColumnsOf<typeof NUMBER_COLUMNS>;
export const numberColumns = (lists: Lists): NumberColumns => arraysOf(NUMBER_COLUMNS, lists);

export interface NumberAnswers {
  answer: 'number';
  /** The number's name. */
  labels: string[];
  columns: NumberColumns;
}

/** A model's answer to one text. */
export interface LiveNumber {
  number: number;
}

export const parseNumber: ParseAnswers<NumberAnswers> = ({ labels, columns }) =>
  areColumns(columns, NUMBER_COLUMNS, {}, 1)
    ? { answer: 'number', labels, columns: numberColumns(columns) }
    : undefined;

export const numberWords: AnswersInWords<NumberAnswers> = ({ columns: { value, predicted } }) => ({
  truth: (i) => value[i],
  predicted: (i) => ({ said: predicted[i] }),
});

/** A range of numbers, both ends inclusive. */
export interface ValueBin {
  from: number;
  to: number;
}

export interface NumberError {
  count: number;
  /** Root of the mean squared error; NaN without examples. */
  rmse: number;
  /** Mean of predicted minus true: positive where the model predicts too much. */
  bias: number;
}

/** Number of bins of roughly equal size, if the values allow it. */
const BINS = 5;

/** Quantiles of the values: every value is in exactly one bin, and each bin has some. */
export function valueBins(values: Float64Array): ValueBin[] {
  const sorted = values.toSorted();
  const bins: ValueBin[] = [];
  for (let k = 1, start = 0; k <= BINS && start < sorted.length; k++) {
    const wanted = Math.max(start + 1, Math.round((k * sorted.length) / BINS));
    const to = sorted[wanted - 1];
    bins.push({ from: sorted[start], to });
    // Equal values stay together.
    start = sorted.lastIndexOf(to) + 1;
  }
  return bins;
}

/** @param sliceOf the slice that an example is in, from 0 to `many` */
export function numberErrors(
  { value, predicted }: NumberColumns,
  many: number,
  sliceOf: (example: number) => number,
): NumberError[] {
  const all = Array.from({ length: many }, () => ({ count: 0, squares: 0, sum: 0 }));
  value.forEach((v, i) => {
    const slice = all[sliceOf(i)];
    const error = predicted[i] - v;
    slice.count++;
    slice.squares += error ** 2;
    slice.sum += error;
  });
  return all.map(({ count, squares, sum }) => ({
    count,
    rmse: Math.sqrt(squares / count),
    bias: sum / count,
  }));
}
