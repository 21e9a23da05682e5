import { softmax } from '../tasks/softmax';
import { requireFinite } from '../training/task/finite-output';

/** The output of a classifier: logits with one true label, logits with independent labels, or probabilities. */
export type Scale = 'one-label' | 'each-label' | 'probabilities';

export function probabilitiesOf(values: ArrayLike<number>, scale: Scale): number[] {
  const numbers = Array.from(values);
  requireFinite(numbers);
  if (scale === 'probabilities') return numbers;
  return scale === 'one-label' ? [...softmax(numbers)] : numbers.map((v) => 1 / (1 + Math.exp(-v)));
}
