import { type ChoiceAnswers, choiceColumns, choiceShares } from '../../protocol/answers/choice';
import type { Outputs } from '../../protocol/outputs';
import { answeredOf } from './choice-scores';
import type { ChoiceText } from './choice-text';
import { exampleColumns, marginOf, rounded } from '../answers/predictions';
import type { DataSplit } from '../task-data';

/** @param kept of each example, in data order */
export function choicePredictions(
  split: DataSplit<ChoiceText>,
  _: Outputs,
  kept: readonly Float32Array[],
): ChoiceAnswers {
  const { examples } = split.dataset;
  const all = examples.map((example, i) => answeredOf(example, kept[i]));
  const columns = choiceColumns({
    ...exampleColumns(split),
    loss: all.map(({ loss }) => rounded(loss)),
    margin: all.map(({ probabilities, predicted }) =>
      probabilities && predicted !== undefined ? rounded(marginOf(probabilities, predicted)) : 0,
    ),
    choices: examples.map(({ choices }) => choices.length),
    label: examples.map(({ answer }) => answer),
    predicted: all.map(({ predicted }, i) => predicted ?? examples.at(i)!.choices.length),
  });
  const shares = all.flatMap(({ probabilities }, example) =>
    [...(probabilities ?? [])].map((probability) => ({ example, probability: rounded(probability) })),
  );
  return {
    answer: 'choice',
    labels: [],
    scoring: examples.at(0)!.scoring,
    columns,
    shares: choiceShares({
      example: shares.map((s) => s.example),
      probability: shares.map((s) => s.probability),
    }),
  };
}
