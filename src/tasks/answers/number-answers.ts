import type { Outputs } from '../../protocol/outputs';
import { type NumberAnswers, numberColumns } from '../../protocol/answers/number';
import type { DataSplit } from '../task-data';
import { exampleColumns, rounded } from './predictions';
import { answeredOf } from '../../data/dataset';
import { numberOf, type NumberedText } from '../numbers';

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
