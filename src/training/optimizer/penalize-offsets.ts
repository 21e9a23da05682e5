import { tensorName } from '../../adapters/inject';
import { ownValues } from '../../adapters/merge';
import { offsetPenalty } from '../../adapters/methods/anl';
import type { Task } from '../task/task';
import { isNonlinear } from '../../experiment/methods';

/** Adds the gradient of training.offsetPenalty · Σ‖σ(0)‖² to a step's gradients, in place. */
export function penalizeOffsets(
  gradients: ReadonlyMap<string, Float32Array>,
  parameters: ReadonlyMap<string, Float32Array>,
  { spec, adapters }: Pick<Task, 'spec' | 'adapters'>,
): void {
  const weight = spec.training.offsetPenalty ?? 0;
  if (weight === 0) return;
  for (const adapter of adapters) {
    if (!isNonlinear(adapter.spec)) continue;
    const added = offsetPenalty(adapter.spec.rank, ownValues(adapter, parameters), adapter.spec, weight);
    for (const name of ['H', 'W'] as const) {
      const gradient = gradients.get(tensorName(adapter, name));
      added[name]?.forEach((v, i) => (gradient![i] += v));
    }
  }
}
