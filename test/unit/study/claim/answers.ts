import { ANSWER_FOUND, ANSWER_MISSED, ANSWER_SPURIOUS } from '../../../../src/protocol/answers/found';
import type { LabelAnswers } from '../../../../src/protocol/answers/label';
import type { LabelSetAnswers } from '../../../../src/protocol/answers/label-set';
import type { NumberAnswers } from '../../../../src/protocol/answers/number';
import type { SpanAnswers } from '../../../../src/protocol/answers/spans';
import type { TextAnswers } from '../../../../src/protocol/answers/text';

/** Kept predictions with only the columns that matter to a metric; the others are 0. */

function columnsOf(n: number, loss?: ArrayLike<number>) {
  const others = othersOf(n);
  return { ...others, loss: loss ? new Float64Array(loss) : others.margin };
}

/** Simulations make as many again and again, and nothing changes them. */
const made = new Map<number, ReturnType<typeof makeOthers>>();
function othersOf(n: number) {
  let others = made.get(n);
  if (!others) made.set(n, (others = makeOthers(n)));
  return others;
}

const makeOthers = (n: number) => ({
  line: Uint32Array.from({ length: n }, (_, i) => i + 1),
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
    label: new Uint32Array(label),
    predicted: new Uint32Array(predicted),
    probability: othersOf(n).margin,
    truth: othersOf(n).margin,
  };
  return { answer: 'label', labels: Array.from({ length: labels }, (_, k) => `label ${k}`), columns };
}

export const numberAnswers = (value: ArrayLike<number>, predicted: ArrayLike<number>): NumberAnswers => ({
  answer: 'number',
  labels: ['score'],
  columns: {
    ...columnsOf(value.length),
    value: new Float64Array(value),
    predicted: new Float64Array(predicted),
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
    answered: new Uint32Array(answered),
    right: new Uint32Array(right),
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
