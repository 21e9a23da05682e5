import type { HostTensor, TensorInfos } from '../graph/tensor-infos';
import { maskInput } from '../tasks/head';

/**
 * The place in (batch, sequence) order of each row (…, features) of a tensor. Some layers have the sequence first, as in
 * PyTorch's nn.MultiheadAttention. A tensor with other rows than the mask, such as one behind pooling, has them in order.
 *
 * @param tensor with shapes in `infos`
 * @param mask the input that marks what counts, (batch, sequence)
 */
export function batchRows(
  infos: TensorInfos,
  tensor: string,
  mask: HostTensor | undefined,
  rows: number,
): (row: number) => number {
  if (mask?.data.length !== rows) return (row) => row;
  const [examples, length] = mask.dims as [number, number];
  const [first, of] = [infos.get(tensor)?.shape[0], infos.get(maskInput([...infos.keys()])!)!.shape];
  if (first !== of[1] || first === of[0]) return (row) => row;
  return (row) => (row % examples) * length + Math.floor(row / examples);
}
