import { SCORINGS, type Scoring } from '../../experiment/scoring';
import {
  areColumns,
  arraysOf,
  COLUMNS,
  type AnswersInWords,
  type ParseAnswers,
  type WrongAnswers,
  type ColumnsOf,
  type Lists,
} from './answer-kind';

const CHOICE_COLUMNS = {
  ...COLUMNS,
  /** The number of choices. */
  choices: Uint32Array,
  /** The true and the predicted one, as indices; the predicted one is the number of choices if there is none. */
  label: Uint32Array,
  predicted: Uint32Array,
} as const;
export type ChoiceColumns = ColumnsOf<typeof CHOICE_COLUMNS>;
export const choiceColumns = (lists: Lists): ChoiceColumns => arraysOf(CHOICE_COLUMNS, lists);

const CHOICE_SHARES = { example: Uint32Array, probability: Float64Array } as const;
export type ChoiceShares = ColumnsOf<typeof CHOICE_SHARES>;
export const choiceShares = (lists: Lists): ChoiceShares => arraysOf(CHOICE_SHARES, lists);

export interface ChoiceAnswers {
  answer: 'choice';
  /** Empty: each example has its own choices. */
  labels: string[];
  /** The method that found the answers. */
  scoring: Scoring;
  columns: ChoiceColumns;
  /** The probability of each choice, by example and in their order; empty if the model wrote its answers. */
  shares: ChoiceShares;
}

export const parseChoice: ParseAnswers<ChoiceAnswers> = ({ labels, columns: stored, shares, scoring }) => {
  if (!areColumns(stored, CHOICE_COLUMNS, {}, 1)) return undefined;
  const columns = choiceColumns(stored);
  const { choices, label, predicted, line } = columns;
  const isWithin = choices.every((n, i) => label[i] < n && predicted[i] <= n);
  return isWithin && isScoring(scoring) && areColumns(shares, CHOICE_SHARES, { example: line.length }, 0)
    ? { answer: 'choice', labels, scoring, columns, shares: choiceShares(shares) }
    : undefined;
};

export const choiceWrong: WrongAnswers<ChoiceAnswers> = ({ columns: { label, predicted } }) =>
  Uint8Array.from(label, (l, i) => Number(l !== predicted[i]));

export const choiceWords: AnswersInWords<ChoiceAnswers> = (
  { columns: { label, predicted }, shares },
  rows,
) => {
  const choice = (i: number, at: number) => rows[i].choices?.[at] ?? '';
  const first = (i: number) => shares.example.indexOf(i);
  const probability = (i: number) =>
    first(i) < 0 ? {} : { probability: shares.probability[first(i) + predicted[i]] };
  return {
    truth: (i) => choice(i, label[i]),
    predicted: (i) => ({ said: choice(i, predicted[i]), ...probability(i) }),
  };
};

const isScoring = (value: unknown): value is Scoring =>
  typeof value === 'string' && Object.hasOwn(SCORINGS, value);
