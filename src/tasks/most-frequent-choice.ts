import type { ChoiceText } from './choice-text';
import type { Baseline } from './kind';

/** Always the choice in the place that most right answers of the training data have, or any choice if that is better. */
export function mostFrequentChoice(
  train: readonly ChoiceText[],
  validation: readonly ChoiceText[],
): Baseline {
  const counts: number[] = [];
  for (const { answer } of train) counts[answer] = (counts[answer] ?? 0) + 1;
  const most = counts.reduce((best, n, i) => (n > (counts[best] ?? 0) ? i : best), 0);
  const always = validation.filter(({ answer }) => answer === most).length / validation.length;
  const chance = validation.reduce((sum, { choices }) => sum + 1 / choices.length, 0) / validation.length;
  return always >= chance
    ? { answer: `always choice ${most + 1}`, metric: 'accuracy', value: always }
    : { answer: 'a random choice', metric: 'accuracy', value: chance };
}
