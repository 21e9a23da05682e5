import type { Node } from '../../graph/model';
import { AuroraError } from '../../shared/errors';
import type { TaskGraph } from '../program';

/** The nodes of a task in their order: those that trainable tensors change, and those before. */
export function dependents(task: TaskGraph): { before: Node[]; within: Node[] } {
  const reached = new Set(task.trainable.map((t) => t.name));
  const before: Node[] = [];
  const within: Node[] = [];
  for (const node of task.model.graph.nodes) {
    const depends = node.inputs.some((x) => reached.has(x));
    (depends ? within : before).push(node);
    if (depends) node.outputs.forEach((y) => reached.add(y));
  }
  return { before, within };
}

/** @throws AuroraError 'targets' naming the layers whose adapters no loss depends on */
export function requireReached(task: TaskGraph): void {
  if (task.trainable.length === 0)
    throw new AuroraError(
      'experiment',
      'Nothing would be trained: there is no adapter and no head.',
      'Choose an adapter method, or task.head "linear".',
    );
  const needed = new Set([task.lossSum]);
  for (const node of [...task.model.graph.nodes].reverse())
    if (node.outputs.some((y) => needed.has(y))) node.inputs.forEach((x) => needed.add(x));
  const layers = task.trainable.filter((t) => !needed.has(t.name)).map((t) => t.name.replace(/\.[^.]*$/, ''));
  if (layers.length)
    throw new AuroraError(
      'targets',
      `These adapters do not reach the loss: ${[...new Set(layers)].join(', ')}.`,
      'Their layers feed another output of the model: leave them out with adapter.excludeModules.',
    );
}
