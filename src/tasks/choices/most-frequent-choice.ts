import type { ChoiceText } from './choice-text';
import type { Baseline } from '../../protocol/alarms/baseline';

type Choice = Pick<ChoiceText, 'answer' | 'offered'>;

/** Always the choice in the place that most right answers of the training data have, or any choice if that is better. */
export function mostFrequentChoice(train: Iterable<Choice>, validation: Iterable<Choice>): Baseline {
  const counts: number[] = [];
  for (const { answer } of train) counts[answer] = (counts[answer] ?? 0) + 1;
  const most = counts.reduce((best, n, i) => (n > (counts[best] ?? 0) ? i : best), 0);
  const always = meanOf(validation, ({ answer }) => (answer === most ? 1 : 0));
  const chance = meanOf(validation, ({ offered }) => 1 / offered);
  return always >= chance
    ? { answer: `always choice ${most + 1}`, metric: 'accuracy', value: always }
    : { answer: 'a random choice', metric: 'accuracy', value: chance };
}

function meanOf(all: Iterable<Choice>, valueOf: (one: Choice) => number): number {
  let [sum, count] = [0, 0];
  for (const one of all) {
    sum += valueOf(one);
    count++;
  }
  return sum / count;
}
