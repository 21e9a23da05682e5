import { answeredOf, type Example, type TextExample } from '../data/dataset';
import { lineOf } from '../data/table/rows';
import { commonColumns } from '../protocol/answers/answer-kind';
import { ANSWER_FOUND, ANSWER_MISSED, ANSWER_SPURIOUS } from '../protocol/answers/found';
import { type LabelAnswers, labelColumns } from '../protocol/answers/label';
import { type LabelSetAnswers, labelSetColumns } from '../protocol/answers/label-set';
import { type NumberAnswers, numberColumns } from '../protocol/answers/number';
import { type PictureAnswers, pictureColumns } from '../protocol/answers/picture';
import { type TextAnswers, textColumns } from '../protocol/answers/text';
import type { Outputs, TargetScale } from '../protocol/outputs';
import { IGNORE_LABEL } from './objective';
import { noisyTargets, type PictureExample } from './pictures/picture-example';
import { argmax, binaryCrossEntropy, crossEntropy, sigmoid, softmax } from './softmax';
import type { DataSplit } from './task-data';

/** @param logits of each example, in data order */
export function labelPredictions(
  split: DataSplit<Example & { label: number }>,
  { labels }: Outputs,
  logits: readonly Float32Array[],
): LabelAnswers {
  const rows = Array.from(answeredOf(split.dataset.examples), ({ label }, i) => {
    const shares = softmax(logits[i]);
    const predicted = argmax(logits[i]);
    return {
      label,
      predicted,
      probability: rounded(shares[predicted]),
      truth: rounded(shares[label]),
      loss: rounded(crossEntropy(logits[i], label)),
      margin: rounded(marginOf(shares, predicted)),
    };
  });
  const columns = labelColumns({
    ...exampleColumns(split),
    label: rows.map((r) => r.label),
    predicted: rows.map((r) => r.predicted),
    probability: rows.map((r) => r.probability),
    truth: rows.map((r) => r.truth),
    loss: rows.map((r) => r.loss),
    margin: rows.map((r) => r.margin),
  });
  return { answer: 'label', labels: [...labels], columns };
}

/** @param logits of each example, in data order; a label is predicted where its logit is above 0 */
export function labelSetPredictions(
  split: DataSplit<TextExample & { truth: Uint8Array }>,
  { labels }: Outputs,
  logits: readonly Float32Array[],
): LabelSetAnswers {
  const examples = [...answeredOf(split.dataset.examples)];
  const parts = examples.flatMap(({ truth }, example) =>
    labels.flatMap((_, label) => {
      const logit = logits[example][label];
      const [isTrue, isPredicted] = [truth[label] === 1, logit > 0];
      if (!isTrue && !isPredicted) return [];
      const found = isTrue ? (isPredicted ? ANSWER_FOUND : ANSWER_MISSED) : ANSWER_SPURIOUS;
      return [{ example, label, found, probability: rounded(sigmoid(logit)) }];
    }),
  );
  const columns = commonColumns({
    ...exampleColumns(split),
    loss: examples.map(({ truth }, i) => {
      const losses = Array.from(logits[i], (x, l) => binaryCrossEntropy(x, truth[l]));
      return rounded(losses.reduce((a, b) => a + b, 0) / losses.length);
    }),
    // The least certain label: how far its probability is from that of its opposite.
    margin: examples.map((_, i) =>
      rounded(Math.min(...Array.from(logits[i], (x) => Math.abs(2 * sigmoid(x) - 1)))),
    ),
  });
  const sets = labelSetColumns({
    example: parts.map((p) => p.example),
    label: parts.map((p) => p.label),
    found: parts.map((p) => p.found),
    probability: parts.map((p) => p.probability),
  });
  return { answer: 'labels', labels: [...labels], columns, sets };
}

/** @param logits of each example, in data order */
export function numberPredictions(
  split: DataSplit<NumberedText>,
  outputs: Outputs,
  logits: readonly Float32Array[],
): NumberAnswers {
  const examples = [...answeredOf(split.dataset.examples)];
  const columns = numberColumns({
    ...exampleColumns(split),
    value: examples.map((e) => e.value),
    predicted: logits.map(([output]) => rounded(numberOf(output, outputs))),
    loss: examples.map((e, i) => rounded((logits[i][0] - e.target) ** 2)),
    margin: examples.map(() => 0),
  });
  return { answer: 'number', labels: [...outputs.labels], columns };
}

/**
 * The log-probability of each token that counts, and the distance of its logit above that of every other token. All
 * logits of a data set would not fit into memory.
 *
 * @param targets (tokens), with IGNORE_LABEL for tokens that do not count
 * @param logits (tokens, vocabulary)
 * @param ahead 1 where a position predicts the token after it, 0 for its own
 * @returns two numbers a token
 */
export function keptLogits(targets: Int32Array, logits: Float32Array, ahead: 0 | 1): Float32Array {
  const vocabulary = logits.length / targets.length;
  const kept: number[] = [];
  for (let t = 0; t + ahead < targets.length; t++) {
    const target = targets[t + ahead];
    if (target === IGNORE_LABEL) continue;
    const own = logits.subarray(t * vocabulary, (t + 1) * vocabulary);
    let other = -Infinity;
    for (let id = 0; id < vocabulary; id++) if (id !== target && own[id] > other) other = own[id];
    kept.push(-crossEntropy(own, target), own[target] - other);
  }
  return Float32Array.from(kept);
}

/** @param kept of each example, in data order */
export function languagePredictions(
  split: DataSplit,
  _: Outputs,
  kept: readonly Float32Array[],
): TextAnswers {
  const tokens = kept.map((k) => k.length / 2);
  const columns = textColumns({
    ...exampleColumns(split),
    loss: kept.map((k, i) =>
      rounded(-k.reduce((sum, v, at) => (at % 2 === 0 ? sum + v : sum), 0) / tokens[i]),
    ),
    margin: kept.map(() => 0),
    answered: tokens,
    right: kept.map((k) => k.reduce((n, v, at) => (at % 2 === 1 && v > 0 ? n + 1 : n), 0)),
  });
  return { answer: 'text', labels: [], columns };
}

/** The mean squared error of a prediction for an example of an evaluation. */
export function rowLoss(example: PictureExample, prediction: Float32Array): number {
  const wanted = noisyTargets([example]).data as Float32Array;
  return prediction.reduce((sum, x, i) => sum + (x - wanted[i]!) ** 2, 0) / prediction.length;
}

/** @param kept of each example, in data order: its loss alone */
export function picturePredictions(
  split: DataSplit<PictureExample>,
  _: Outputs,
  kept: readonly Float32Array[],
): PictureAnswers {
  const { examples } = split.dataset;
  const columns = pictureColumns({
    ...exampleColumns(split),
    timestep: Array.from(examples, (e) => e.timestep!),
    loss: kept.map(([loss]) => rounded(loss!)),
    margin: kept.map(() => 0),
  });
  return { answer: 'picture', labels: [], columns };
}

/** float32's precision; keeps the file short. */
const DIGITS = 6;
export const rounded = (value: number): number => Number(value.toPrecision(DIGITS));

/** The columns that do not depend on the answer. */
export function exampleColumns<E extends Example>({ rows, dataset: { examples } }: DataSplit<E>) {
  const all = Array.from(answeredOf(examples), ({ row, size, truncated = false }) => ({
    line: lineOf(rows, row),
    size,
    cut: Number(truncated),
  }));
  return { line: all.map((e) => e.line), tokens: all.map((e) => e.size), cut: all.map((e) => e.cut) };
}

/** The lead of the most likely class over the next. */
export const marginOf = (shares: Float64Array, best: number): number =>
  shares[best] - shares.reduce((most, p, c) => (c === best ? most : Math.max(most, p)), 0);

/** A text and its number. */
export interface NumberedText extends TextExample {
  value: number;
  /** The number as the head learns it: scaled to mean 0 and variance 1. */
  target: number;
}

/** For a model whose own output is already in the unit of the numbers. */
export const UNSCALED: TargetScale = { mean: 0, deviation: 1 };

/** A number as the head learns it. */
export const targetOf = (value: number, { scale = UNSCALED }: Outputs): number =>
  (value - scale.mean) / scale.deviation;

/** An output in the unit of the data. */
export const numberOf = (output: number, { scale = UNSCALED }: Outputs): number =>
  output * scale.deviation + scale.mean;
