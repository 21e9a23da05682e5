import { AuroraError } from '../../base/errors';
import { softmax } from '../../tasks/softmax';

/** What a classifier outputs: logits with one true label, logits with independent labels, or probabilities. */
export type Scale = 'one-label' | 'each-label' | 'probabilities';

export function probabilitiesOf(values: ArrayLike<number>, scale: Scale): number[] {
  const numbers = Array.from(values);
  requireFinite(numbers);
  if (scale === 'probabilities') return numbers;
  return scale === 'one-label' ? [...softmax(numbers)] : numbers.map((v) => 1 / (1 + Math.exp(-v)));
}

export function requireFinite(numbers: readonly number[] | Float32Array | Float64Array): void {
  if (!numbers.every(Number.isFinite))
    throw new AuroraError(
      'model',
      'The model’s output is not finite.',
      'Its weights, or those of the adapter, are damaged, or it overflows on this input.',
    );
}
