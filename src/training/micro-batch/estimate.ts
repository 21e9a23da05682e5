import { byteSize } from '../../graph/dtype';
import { batchMultiple } from '../../graph/sizes/batch-infos';
import type { TensorInfo, TensorInfos } from '../../graph/tensor-infos';
import type { Task } from '../task/task';

type Shape = TensorInfo['shape'];

/** Elements of a tensor for a batch: its axes are multiples of the batch, batch and length together (`|`), or the length. */
export function elementsOf(shape: Shape, examples: number, length: number): number {
  const size = (axis: number | string) =>
    typeof axis === 'number'
      ? axis
      : batchMultiple(axis) !== undefined
        ? examples * batchMultiple(axis)!
        : axis.includes('|')
          ? examples * length
          : length;
  return shape.reduce<number>((n, axis) => n * size(axis), 1);
}

const bytesOf = ({ dtype, shape }: TensorInfo, examples: number, length: number): number =>
  (byteSize(dtype) ?? 0) * elementsOf(shape, examples, length);

/**
 * Bytes of all tensors that the user's model computes for a batch: more than a step holds at once, since the runtime
 * frees tensors that no gradient needs.
 */
export function forwardBytes({ model, infos }: Task, examples: number, length: number): number {
  let bytes = 0;
  for (const name of model.graph.nodes.flatMap((n) => n.outputs)) {
    const info = infos.get(name);
    if (info) bytes += bytesOf(info, examples, length);
  }
  return bytes;
}

/** The bytes of all known tensors with an open axis, also of those below a frozen prefix. */
export function openBytes(infos: TensorInfos, examples: number, length: number): number {
  let bytes = 0;
  for (const info of infos.values())
    if (info.shape.some((axis) => typeof axis === 'string')) bytes += bytesOf(info, examples, length);
  return bytes;
}
