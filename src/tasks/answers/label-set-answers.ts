import { answeredOf, type TextExample } from '../../data/dataset';
import type { Outputs } from '../../protocol/outputs';
import { type LabelSetAnswers, labelSetColumns } from '../../protocol/answers/label-set';
import { ANSWER_FOUND, ANSWER_MISSED, ANSWER_SPURIOUS } from '../../protocol/answers/found';
import { commonColumns } from '../../protocol/answers/answer-kind';
import type { DataSplit } from '../task-data';
import { exampleColumns, rounded } from './predictions';
import { binaryCrossEntropy, sigmoid } from '../softmax';

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
