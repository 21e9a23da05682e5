import { byExample } from '../../../src/protocol/errors-view/by-example';
import type { ChoiceAnswers } from '../../../src/protocol/predictions';

export function choiceParts({ answer, scoring, columns, shares }: ChoiceAnswers) {
  const probabilities = byExample(shares.example, (i) => shares.probability[i]);
  return {
    answer,
    scoring,
    columns,
    /** Of each choice; undefined if the model wrote its answer. */
    sharesOf: (example: number): readonly number[] | undefined => probabilities.get(example),
    /** Whether the model wrote none of the choices. */
    answeredNone: (example: number) => columns.predicted[example] === columns.choices[example],
  };
}
