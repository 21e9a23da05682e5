import type { AnswerShape } from '../experiment/tasks/kind';

/** The data of an experiment whose rows can be shown as tokens. */
export const SPLITS = ['train', 'validation'] as const;
export type SplitName = (typeof SPLITS)[number];

export const isSplit = (value: unknown): value is SplitName => SPLITS.includes(value as SplitName);

/** The output of `aurora tokens --json`: a row of texts as a step of training, or an evaluation, reads it. */
export interface TokenRow {
  kind: 'tokens';
  split: SplitName;
  /** The data file, absolute, and the row's number in it: a line, or a row of a Parquet file. */
  file: string;
  row: number;
  /** The row as --row takes it, and its neighbors in the split. */
  name: string;
  previous?: string;
  next?: string;
  /** The row's place among the rows of its split, from 1, and their number. */
  at: number;
  rows: number;
  /** True if both splits are shares of one file. */
  shared?: true;
  answer: AnswerShape;
  /** True if single tokens count in the loss; otherwise an example counts as a whole. */
  perToken: boolean;
  /** The tokens that the model reads; with packing, those of all texts of the row of training. */
  tokens: RowToken[];
  /** The parts of the text that model.maxLength cuts off. */
  cut: CutTokens[];
  /** True if even more was cut off: a text of any length costs no more than a long one. */
  cutMore?: true;
  /** The answer of an example that counts as a whole, and its weight in the loss if that is not 1. */
  label?: string;
  weight?: number;
  /** Present if training does not learn from the row. */
  leftOut?: LeftOutRow;
  packed?: PackedRow;
  /** Present if all texts were read. */
  batch?: RowBatch;
  /** True if each epoch draws other tokens to predict; these are those of the first one. */
  varies?: true;
  maxLength: number;
}

export interface RowToken {
  id: number;
  /** The text, with the space before it; left out for a further part of the character before. */
  text?: string;
  /** True if the model is to predict it, or to label it. */
  counts?: true;
  special?: true;
  /** The answer in its place, if that is not the token itself: a tag, or a hidden token. */
  label?: string;
  /** The weight in the loss, if that is not 1. */
  weight?: number;
}

export interface CutTokens {
  /** The place in `tokens` before which they were. */
  at: number;
  count: number;
  /** The number of them that would count in the loss. */
  counting: number;
  /** The first ones. */
  tokens: RowToken[];
}

export interface LeftOutRow {
  reason: string;
  /** True if training refuses the data for it, false if it skips the row. */
  fails: boolean;
}

/** A row of several texts (training.packing). */
export interface PackedRow {
  /** The number of the row of training, from 1, and the number of these. */
  row: number;
  rows: number;
  texts: PackedText[];
  /** The index of the asked one in `texts`. */
  own: number;
}

export interface PackedText {
  /** As --row takes it. */
  name: string;
  /** The place of its first token. */
  begin: number;
  size: number;
}

/** The batch with the row, in the first epoch or in an evaluation. */
export interface RowBatch {
  /** The number of the step, or of the evaluation's batch, from 1. */
  step: number;
  examples: number;
  /** Tokens to which each of its examples is padded. */
  length: number;
  /** The token of the padding. */
  pad: RowToken;
}
