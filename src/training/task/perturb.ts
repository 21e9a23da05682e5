import type { Parameters } from '../../engine/stepper';
import { normal, Stream } from '../../base/random';

/** Relative to the tensor's own size; for a tensor of zeros, a new head's size. */
const SHARE = 0.1;
const STD = 0.02;

/**
 * Trainable tensors with seeded noise. An untrained adapter's B is 0, and so are the gradients of everything that B
 * multiplies: with such values, a wrong gradient would look right.
 */
export function perturbed(parameters: Parameters, seed: number): Map<string, Float32Array> {
  return new Map(
    [...parameters].map(([name, values], nth) => {
      const size = Math.sqrt(values.reduce((s, v) => s + v * v, 0) / values.length);
      const std = size > 0 ? SHARE * size : STD;
      return [name, values.map((v, i) => v + std * normal(seed, Stream.verification, nth, i))];
    }),
  );
}
