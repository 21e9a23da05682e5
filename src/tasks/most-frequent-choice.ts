import type { List } from '../data/list';
import type { ChoiceText } from './choice-text';
import type { Baseline } from './kind';

/** Always the choice in the place that most right answers of the training data have, or any choice if that is better. */
export function mostFrequentChoice(train: List<ChoiceText>, validation: List<ChoiceText>): Baseline {
  const counts: number[] = [];
  for (const { answer } of train) counts[answer] = (counts[answer] ?? 0) + 1;
  const most = counts.reduce((best, n, i) => (n > (counts[best] ?? 0) ? i : best), 0);
  const always = meanOf(validation.map(({ answer }) => (answer === most ? 1 : 0)));
  const chance = meanOf(validation.map(({ choices }) => 1 / choices.length));
  return always >= chance
    ? { answer: `always choice ${most + 1}`, metric: 'accuracy', value: always }
    : { answer: 'a random choice', metric: 'accuracy', value: chance };
}

const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
