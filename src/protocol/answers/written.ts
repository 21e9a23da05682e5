import { WRITTEN_SCORINGS, isWrittenScoring, type WrittenScoring } from '../../experiment/scoring';
import type { MetricName } from '../../experiment/metrics';
import {
  areColumns,
  arraysOf,
  type AnswersInWords,
  type ColumnsOf,
  type Lists,
  type ParseAnswers,
  type WrongAnswers,
} from './answer-kind';
import { TEXT_COLUMNS } from './text';

/** Characters that are stored of a text; of a longer one, its middle is left out. */
export const WRITTEN_CHARACTERS = 2000;

const WRITTEN_COLUMNS = {
  ...TEXT_COLUMNS,
  /** The number of tokens that the model wrote. */
  written: Uint32Array,
} as const;
export type WrittenColumns = ColumnsOf<typeof WRITTEN_COLUMNS>;
export const writtenColumns = (lists: Lists): WrittenColumns => arraysOf(WRITTEN_COLUMNS, lists);

/** The answers that one method found; each list has an item for each example. */
export interface JudgedAnswers {
  scoring: WrittenScoring;
  /** 1 for a right answer. */
  right: number[];
  /** In the data and in the written text, as compared; null where the text has no answer. */
  reference: (string | null)[];
  written: (string | null)[];
}

/** Texts that a language model wrote after prompts, and the answers in them. */
export interface WrittenAnswers {
  answer: 'written';
  labels: string[];
  columns: WrittenColumns;
  /** The written texts, and the answers in the data, by example. */
  texts: string[];
  references: string[];
  /** By the methods of task.scoring, of which the first decides if an answer is right. */
  judged: JudgedAnswers[];
}

export const parseWritten: ParseAnswers<WrittenAnswers> = ({
  labels,
  columns,
  texts,
  references,
  judged,
}) => {
  if (!areColumns(columns, WRITTEN_COLUMNS, {}, 1)) return undefined;
  const { length } = columns.line;
  const areTexts = (value: unknown): value is string[] => isList(value, length, (v) => typeof v === 'string');
  if (!areTexts(texts) || !areTexts(references) || !areJudged(judged, length)) return undefined;
  return { answer: 'written', labels, columns: writtenColumns(columns), texts, references, judged };
};

const isList = (value: unknown, length: number, isItem: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.length === length && value.every(isItem);

function areJudged(value: unknown, length: number): value is JudgedAnswers[] {
  const isText = (v: unknown) => v === null || typeof v === 'string';
  const isOne = (item: unknown) => {
    const { scoring, right, reference, written } = (item ?? {}) as Record<string, unknown>;
    return (
      isWrittenScoring(scoring) &&
      isList(right, length, (v) => v === 0 || v === 1) &&
      isList(reference, length, isText) &&
      isList(written, length, isText)
    );
  };
  return Array.isArray(value) && value.length > 0 && value.every(isOne);
}

export const writtenWrong: WrongAnswers<WrittenAnswers> = ({ judged: [first] }) =>
  Uint8Array.from(first.right, (right) => 1 - right);

/** By each metric of written answers: 1 for each example whose answer is right. */
export const rightByMetric = ({ judged }: WrittenAnswers): Partial<Record<MetricName, Uint8Array>> =>
  Object.fromEntries(
    judged.map(({ scoring, right }) => [WRITTEN_SCORINGS[scoring], Uint8Array.from(right)] as const),
  );

/** The answers as the first method compares them; of a text without one, the text itself. */
export const writtenInWords: AnswersInWords<WrittenAnswers> = ({ judged: [first], texts, references }) => ({
  truth: (i) => first.reference[i] ?? references[i],
  predicted: (i) => ({ said: first.written[i] ?? texts[i] }),
});
