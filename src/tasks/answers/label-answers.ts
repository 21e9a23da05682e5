import type { Outputs } from '../../protocol/outputs';
import { answeredOf, type Example } from '../../data/dataset';
import { type LabelAnswers, labelColumns } from '../../protocol/answers/label';
import type { DataSplit } from '../task-data';
import { exampleColumns, marginOf, rounded } from './predictions';
import { argmax, crossEntropy, softmax } from '../softmax';

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
