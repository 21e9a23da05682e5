import {
  areColumns,
  arraysOf,
  COLUMNS,
  commonColumns,
  type AnswersInWords,
  type ParseAnswers,
  type WrongAnswers,
  type Columns,
  type ColumnsOf,
  type Lists,
} from './answer-kind';
import { foundEnds, foundWords, wrongParts } from './found';

/** For each label of an example that is in the data, predicted, or both. */
const LABEL_SET_COLUMNS = {
  example: Uint32Array,
  /** An index into `labels`. */
  label: Uint32Array,
  /** ANSWER_MISSED, ANSWER_SPURIOUS or ANSWER_FOUND. */
  found: Uint8Array,
  probability: Float64Array,
} as const;
export type LabelSetColumns = ColumnsOf<typeof LABEL_SET_COLUMNS>;
export const labelSetColumns = (lists: Lists): LabelSetColumns => arraysOf(LABEL_SET_COLUMNS, lists);

export interface LabelSetAnswers {
  answer: 'labels';
  /** In the order of the model's outputs. */
  labels: string[];
  columns: Columns;
  /** The true and the predicted labels, by example. */
  sets: LabelSetColumns;
}

export const parseLabelSet: ParseAnswers<LabelSetAnswers> = ({ labels, columns, sets }) =>
  areColumns(columns, COLUMNS, {}, 1) &&
  areColumns(sets, LABEL_SET_COLUMNS, foundEnds(columns.line.length, labels), 0)
    ? { answer: 'labels', labels, columns: commonColumns(columns), sets: labelSetColumns(sets) }
    : undefined;

export const labelSetWrong: WrongAnswers<LabelSetAnswers> = ({ sets, columns }) =>
  wrongParts(sets, columns.line.length);

export const labelSetWords: AnswersInWords<LabelSetAnswers> = ({ sets, labels }) =>
  foundWords(sets, (k) => labels[sets.label[k]]);
