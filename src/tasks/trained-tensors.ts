import { AuroraError } from '../base/errors';
import type { TaskGraph } from './task-graph';

/** @throws AuroraError 'experiment' where a task has neither an adapter nor a head */
export function requireTrainable({ trainable }: TaskGraph): void {
  if (trainable.length === 0)
    throw new AuroraError(
      'experiment',
      'Nothing would be trained: there is no adapter and no head.',
      'Choose an adapter method, or task.head "linear".',
    );
}

/**
 * @param unreached names of trainable tensors that no loss depends on
 * @throws AuroraError 'targets' naming their layers, where there are any
 */
export function requireReached(unreached: readonly string[]): void {
  if (unreached.length === 0) return;
  const layers = new Set(unreached.map((name) => name.slice(0, name.lastIndexOf('.'))));
  throw new AuroraError(
    'targets',
    `These adapters do not reach the loss: ${[...layers].join(', ')}.`,
    'Their layers feed another output of the model: leave them out with adapter.excludeModules.',
  );
}
