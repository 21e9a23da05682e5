import { byteSize } from '../../graph/dtype';
import type { Task } from '../task/task';

/**
 * Bytes of all tensors that the user's model computes for a batch: more than a step holds at once, since the runtime
 * frees what no gradient needs.
 */
export function forwardBytes({ model, infos }: Task, examples: number, length: number): number {
  const size = (axis: number | string) =>
    typeof axis === 'number'
      ? axis
      : axis === 'batch'
        ? examples
        : axis.includes('|')
          ? examples * length
          : length;
  let bytes = 0;
  for (const name of model.graph.nodes.flatMap((n) => n.outputs)) {
    const info = infos.get(name);
    if (info) bytes += info.shape.reduce<number>((n, axis) => n * size(axis), byteSize(info.dtype) ?? 0);
  }
  return bytes;
}
