import {
  areColumns,
  arraysOf,
  COLUMNS,
  type AnswersInWords,
  type ParseAnswers,
  type ColumnsOf,
  type Lists,
} from './answer-kind';

export const TEXT_COLUMNS = {
  ...COLUMNS,
  /** Tokens that the model had to predict, and how many of them it found most likely. */
  answered: Uint32Array,
  right: Uint32Array,
} as const;
export type TextColumns = ColumnsOf<typeof TEXT_COLUMNS>;
export const textColumns = (lists: Lists): TextColumns => arraysOf(TEXT_COLUMNS, lists);

export interface TextAnswers {
  answer: 'text';
  labels: string[];
  columns: TextColumns;
}

export const parseText: ParseAnswers<TextAnswers> = ({ labels, columns }) =>
  areColumns(columns, TEXT_COLUMNS, {}, 1)
    ? { answer: 'text', labels, columns: textColumns(columns) }
    : undefined;

export const textWords: AnswersInWords<TextAnswers> = ({ columns: { right, answered } }) => ({
  predicted: (i) => ({ tokens: [right[i], answered[i]] }),
});

/** The quality of the predictions for the tokens of some texts. */
export interface TextSlice {
  texts: number;
  /** Predicted tokens. */
  tokens: number;
  /** NaN without tokens. */
  perplexity: number;
  /** Share of tokens that are the most likely ones; NaN without tokens. */
  right: number;
}

/** @param sliceOf the slice that an example is in, from 0 to `many` */
export function textSlices(
  { loss, answered, right }: TextColumns,
  many: number,
  sliceOf: (example: number) => number,
): TextSlice[] {
  const all = Array.from({ length: many }, () => ({ texts: 0, tokens: 0, loss: 0, right: 0 }));
  loss.forEach((mean, i) => {
    const slice = all[sliceOf(i)];
    slice.texts++;
    slice.tokens += answered[i];
    slice.loss += mean * answered[i];
    slice.right += right[i];
  });
  return all.map((s) => ({
    texts: s.texts,
    tokens: s.tokens,
    perplexity: Math.exp(s.loss / s.tokens),
    right: s.right / s.tokens,
  }));
}
