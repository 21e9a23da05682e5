import { DType } from '../../graph/dtype';
import type { Network } from './network';

const AT = 'embeddings';
/** PyTorch's; other libraries use −0.5. */
const A = -0.75;

/**
 * A square grid of vectors in another size, as PyTorch's bicubic interpolation (align_corners false) makes it.
 *
 * @param grid of side · side · size values
 * @returns (1, height · width, size)
 */
export function resizedGrid(
  net: Network,
  grid: string,
  { side, size }: { side: number; size: number },
  [height, width]: readonly [number, number],
): string {
  const shaped = (x: string, ...dims: number[]) => net.op(AT, 'Reshape', [x, net.g.ints(dims)]);
  const weights = (count: number) => net.g.constant(DType.float, [count, side], cubicWeights(count, side));
  const rows = net.op(AT, 'MatMul', [weights(height), shaped(grid, side, side * size)]);
  const both = net.op(AT, 'MatMul', [weights(width), shaped(rows, height, side, size)]);
  return shaped(both, 1, height * width, size);
}

/** By how much each of `side` values counts for each of `count` values: (count, side). */
function cubicWeights(count: number, side: number): number[] {
  const weights = new Array<number>(count * side).fill(0);
  for (let i = 0; i < count; i++) {
    const center = ((i + 0.5) * side) / count - 0.5;
    for (let tap = Math.floor(center) - 1; tap <= Math.floor(center) + 2; tap++)
      weights[i * side + Math.min(Math.max(tap, 0), side - 1)] += cubic(Math.abs(center - tap));
  }
  return weights;
}

/** Keys' kernel at a distance from 0 to 2. */
const cubic = (d: number): number =>
  d <= 1 ? ((A + 2) * d - (A + 3)) * d * d + 1 : ((d - 5) * d + 8) * d * A - 4 * A;
