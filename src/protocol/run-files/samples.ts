import type { SaidAnswer, SampleAnswer } from '../answers/answer-kind';
import type { Answers } from '../answers/kinds';

/** samples.json: the predictions for a few fixed validation rows at each evaluation. */
export interface RunSamples {
  version: 1;
  /** The shape of the answers. */
  answer: Answers['answer'];
  rows: SampleRow[];
  /** In their order; of many, evenly spread ones. */
  evaluations: SampleEvaluation[];
}

export interface SampleRow {
  /** The line in the data file where it starts, one-based; counted on over the files of a pattern. */
  line: number;
  /** The start of the text, or an image's name. */
  text: string;
  /** The second text of a pair. */
  pair?: string;
  /** A small picture of an image, as a data URI. */
  thumbnail?: string;
  /** The true answer; left out for a text, which is its own answer. */
  truth?: SampleAnswer;
}

export interface SampleEvaluation {
  step: number;
  epoch: number;
  /** By row. */
  answers: SamplePrediction[];
}

export interface SamplePrediction extends SaidAnswer {
  /** Left out for an answer that has a distance and is never wrong. */
  right?: boolean;
  loss: number;
}

/** True if an answer at an evaluation is wrong though it was right at the one before. */
export const hasTurnedWrong = (
  before: SamplePrediction | undefined,
  now: SamplePrediction | undefined,
): boolean => before?.right === true && now?.right === false;

/** @returns undefined for a file of a later version, or one that was changed */
export function parseSamples(value: unknown): RunSamples | undefined {
  const { version, answer, rows, evaluations } = (value ?? {}) as Partial<Record<string, unknown>>;
  if (version !== 1 || typeof answer !== 'string' || !Array.isArray(rows) || !Array.isArray(evaluations))
    return undefined;
  const isEvaluation = (e: Partial<SampleEvaluation> | null) =>
    typeof e?.step === 'number' &&
    typeof e.epoch === 'number' &&
    Array.isArray(e.answers) &&
    e.answers.length === rows.length &&
    e.answers.every((a) => typeof (a as Partial<SamplePrediction> | null)?.loss === 'number');
  return rows.every((r) => typeof (r as Partial<SampleRow> | null)?.text === 'string') &&
    evaluations.every(isEvaluation)
    ? (value as RunSamples)
    : undefined;
}
