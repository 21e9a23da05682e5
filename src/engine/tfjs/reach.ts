import type { Node } from '../../graph/model';
import type { TaskGraph } from '../../tasks/task-graph';

/** The nodes of a task in order: those that depend on trainable tensors, and those before. */
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

/** Names of the trainable tensors that no loss depends on. */
export function unreached(task: TaskGraph): string[] {
  const needed = new Set([task.lossSum]);
  for (const node of [...task.model.graph.nodes].reverse())
    if (node.outputs.some((y) => needed.has(y))) node.inputs.forEach((x) => needed.add(x));
  return task.trainable.map((t) => t.name).filter((name) => !needed.has(name));
}
