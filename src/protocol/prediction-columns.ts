/** For each validation example, in data order, whatever its answer. */
export interface Columns {
  /** The line in the data file where it starts, one-based. */
  line: Uint32Array;
  loss: Float64Array;
  /** The lead of the most likely answer over the next; of several answers, the smallest. 0 for a number. */
  margin: Float64Array;
  /** Tokens that the model reads, including special tokens. */
  tokens: Uint32Array;
  /** 1 if the text is longer than the model reads. */
  cut: Uint8Array;
}

export interface NumberColumns extends Columns {
  /** The true and the predicted number. */
  value: Float64Array;
  predicted: Float64Array;
}

export interface TextColumns extends Columns {
  /** Tokens that the model had to predict, and how many of them it found most likely. */
  answered: Uint32Array;
  right: Uint32Array;
}

export interface LabelColumns extends Columns {
  /** The true and the predicted label, as indices into `labels`. */
  label: Uint32Array;
  predicted: Uint32Array;
  /** Probabilities of the predicted and the true label. */
  probability: Float64Array;
  truth: Float64Array;
}

export interface ChoiceColumns extends Columns {
  /** The number of choices. */
  choices: Uint32Array;
  /** The true and the predicted one, as indices; the predicted one is the number of choices if there is none. */
  label: Uint32Array;
  predicted: Uint32Array;
}

/** An example is an image with one amount of noise. */
export interface PictureColumns extends Columns {
  /** Steps of the noise schedule, from 0: the later, the more noise. */
  timestep: Uint32Array;
}

export interface ChoiceShares {
  example: Uint32Array;
  probability: Float64Array;
}

/** For each label of an example that is in the data, predicted, or both. */
export interface LabelSetColumns {
  example: Uint32Array;
  /** An index into `labels`. */
  label: Uint32Array;
  /** ANSWER_MISSED, ANSWER_SPURIOUS or ANSWER_FOUND. */
  found: Uint8Array;
  probability: Float64Array;
}

/** For each span that is in the data, predicted, or both. */
export interface SpanColumns {
  example: Uint32Array;
  /** In UTF-16 units of the example's text. */
  start: Uint32Array;
  end: Uint32Array;
  /** An index into `labels`. */
  label: Uint32Array;
  /** ANSWER_MISSED, ANSWER_SPURIOUS or ANSWER_FOUND. */
  found: Uint8Array;
}

/** The span is in the data alone, predicted alone, or both. */
export const ANSWER_MISSED = 0;
export const ANSWER_SPURIOUS = 1;
export const ANSWER_FOUND = 2;

/** The array type of each column. */
export const COLUMNS = {
  line: Uint32Array,
  loss: Float64Array,
  margin: Float64Array,
  tokens: Uint32Array,
  cut: Uint8Array,
} as const;
export const LABEL_COLUMNS = {
  ...COLUMNS,
  label: Uint32Array,
  predicted: Uint32Array,
  probability: Float64Array,
  truth: Float64Array,
} as const;
export const NUMBER_COLUMNS = { ...COLUMNS, value: Float64Array, predicted: Float64Array } as const;
export const TEXT_COLUMNS = { ...COLUMNS, answered: Uint32Array, right: Uint32Array } as const;
export const CHOICE_COLUMNS = {
  ...COLUMNS,
  choices: Uint32Array,
  label: Uint32Array,
  predicted: Uint32Array,
} as const;
export const PICTURE_COLUMNS = { ...COLUMNS, timestep: Uint32Array } as const;
export const CHOICE_SHARES = { example: Uint32Array, probability: Float64Array } as const;
export const LABEL_SET_COLUMNS = {
  example: Uint32Array,
  label: Uint32Array,
  found: Uint8Array,
  probability: Float64Array,
} as const;
export const SPAN_COLUMNS = {
  example: Uint32Array,
  start: Uint32Array,
  end: Uint32Array,
  label: Uint32Array,
  found: Uint8Array,
} as const;

export type Types = Record<string, Uint32ArrayConstructor | Float64ArrayConstructor | Uint8ArrayConstructor>;
export type Lists = Record<string, number[]>;
type Arrays = Record<string, ArrayLike<number>>;

const arraysOf = <T>(types: Types, lists: Lists): T =>
  Object.fromEntries(
    Object.entries(types).map(([name, type]) => [name, type.from(lists[name])]),
  ) as unknown as T;

export const listsOf = (arrays: object): Lists =>
  Object.fromEntries(Object.entries(arrays as Arrays).map(([name, column]) => [name, Array.from(column)]));

export const labelColumns = (lists: Lists): LabelColumns => arraysOf(LABEL_COLUMNS, lists);
export const numberColumns = (lists: Lists): NumberColumns => arraysOf(NUMBER_COLUMNS, lists);
export const textColumns = (lists: Lists): TextColumns => arraysOf(TEXT_COLUMNS, lists);
export const choiceColumns = (lists: Lists): ChoiceColumns => arraysOf(CHOICE_COLUMNS, lists);
export const pictureColumns = (lists: Lists): PictureColumns => arraysOf(PICTURE_COLUMNS, lists);
export const choiceShares = (lists: Lists): ChoiceShares => arraysOf(CHOICE_SHARES, lists);
export const commonColumns = (lists: Lists): Columns => arraysOf(COLUMNS, lists);
export const labelSetColumns = (lists: Lists): LabelSetColumns => arraysOf(LABEL_SET_COLUMNS, lists);
export const spanColumns = (lists: Lists): SpanColumns => arraysOf(SPAN_COLUMNS, lists);
