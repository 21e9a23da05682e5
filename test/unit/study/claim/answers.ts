import { ANSWER_FOUND, ANSWER_MISSED, ANSWER_SPURIOUS } from '../../../../src/protocol/answers/found';
import type { LabelAnswers } from '../../../../src/protocol/answers/label';
import type { LabelSetAnswers } from '../../../../src/protocol/answers/label-set';
import type { NumberAnswers } from '../../../../src/protocol/answers/number';
import type { SpanAnswers } from '../../../../src/protocol/answers/spans';
import type { TextAnswers } from '../../../../src/protocol/answers/text';

/** Kept predictions with only the columns that matter to a metric; the others are 0. */

const columnsOf = (n: number, loss: ArrayLike<number> = new Float64Array(n)) => ({
  line: Uint32Array.from({ length: n }, (_, i) => i + 1),
  loss: Float64Array.from(loss),
  margin: new Float64Array(n),
  tokens: new Uint32Array(n),
  cut: new Uint8Array(n),
});

export function labelAnswers(
  label: ArrayLike<number>,
  predicted: ArrayLike<number>,
  labels: number,
  loss?: ArrayLike<number>,
): LabelAnswers {
  const n = label.length;
  const columns = {
    ...columnsOf(n, loss),
    label: Uint32Array.from(label),
    predicted: Uint32Array.from(predicted),
    probability: new Float64Array(n),
    truth: new Float64Array(n),
  };
  return { answer: 'label', labels: Array.from({ length: labels }, (_, k) => `label ${k}`), columns };
}

export const numberAnswers = (value: ArrayLike<number>, predicted: ArrayLike<number>): NumberAnswers => ({
  answer: 'number',
  labels: ['score'],
  columns: {
    ...columnsOf(value.length),
    value: Float64Array.from(value),
    predicted: Float64Array.from(predicted),
  },
});

/** @param loss the mean over the tokens of each text */
export const textAnswers = (
  loss: ArrayLike<number>,
  answered: ArrayLike<number>,
  right: ArrayLike<number>,
): TextAnswers => ({
  answer: 'text',
  labels: [],
  columns: {
    ...columnsOf(loss.length, loss),
    answered: Uint32Array.from(answered),
    right: Uint32Array.from(right),
  },
});

/** The labels that are in the data, predicted, or both; by example. */
function found(truth: readonly (readonly number[])[], predicted: readonly (readonly number[])[]) {
  const parts = truth.flatMap((row, example) =>
    row.flatMap((is, label) => {
      const said = predicted[example][label];
      if (!is && !said) return [];
      return [{ example, label, found: is ? (said ? ANSWER_FOUND : ANSWER_MISSED) : ANSWER_SPURIOUS }];
    }),
  );
  return {
    example: Uint32Array.from(parts, (p) => p.example),
    label: Uint32Array.from(parts, (p) => p.label),
    found: Uint8Array.from(parts, (p) => p.found),
  };
}

/** @param truth 1 for each label that an example has */
export function labelSetAnswers(
  truth: readonly (readonly number[])[],
  predicted: readonly (readonly number[])[],
): LabelSetAnswers {
  const sets = found(truth, predicted);
  return {
    answer: 'labels',
    labels: truth[0].map((_, k) => `label ${k}`),
    columns: columnsOf(truth.length),
    sets: { ...sets, probability: new Float64Array(sets.example.length) },
  };
}

/** @param truth 1 for each place of an example that has an entity */
export function spanAnswers(
  truth: readonly (readonly number[])[],
  predicted: readonly (readonly number[])[],
): SpanAnswers {
  const { label: start, ...sets } = found(truth, predicted);
  const spans = { ...sets, start, end: start.map((at) => at + 1), label: new Uint32Array(start.length) };
  return { answer: 'spans', labels: ['entity'], columns: columnsOf(truth.length), spans };
}
