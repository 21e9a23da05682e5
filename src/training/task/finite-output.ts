import { AuroraError } from '../../base/errors';

/** @throws AuroraError 'model' if a model's output has a number that is not finite */
export function requireFinite(numbers: readonly number[] | Float32Array | Float64Array): void {
  if (!numbers.every(Number.isFinite))
    throw new AuroraError(
      'model',
      'The model’s output is not finite.',
      'Its weights, or those of the adapter, are damaged, or it overflows on this input.',
    );
}
