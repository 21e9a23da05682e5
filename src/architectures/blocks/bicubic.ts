import { DType } from '../../graph/dtype';
import type { Network } from './network';

const AT = 'embeddings';

/**
 * A square grid of vectors in another size, as PyTorch's bicubic interpolation (align_corners false) makes it.
 *
 * @param grid of side · side · size values
 * @param antialias true if a smaller grid is made of all values of the larger one
 * @returns (1, height · width, size)
 */
export function resizedGrid(
  net: Network,
  grid: string,
  { side, size, antialias }: { side: number; size: number; antialias: boolean },
  [height, width]: readonly [number, number],
): string {
  const shaped = (x: string, ...dims: number[]) => net.op(AT, 'Reshape', [x, net.g.ints(dims)]);
  const made = antialias ? smoothWeights : cubicWeights;
  const weights = (count: number) => net.g.constant(DType.float, [count, side], made(count, side));
  const rows = net.op(AT, 'MatMul', [weights(height), shaped(grid, side, side * size)]);
  const both = net.op(AT, 'MatMul', [weights(width), shaped(rows, height, side, size)]);
  return shaped(both, 1, height * width, size);
}

/** The weight of each of `side` values in each of `count` values: (count, side). */
function cubicWeights(count: number, side: number): number[] {
  const weights = new Array<number>(count * side).fill(0);
  for (let i = 0; i < count; i++) {
    const center = ((i + 0.5) * side) / count - 0.5;
    for (let tap = Math.floor(center) - 1; tap <= Math.floor(center) + 2; tap++)
      weights[i * side + Math.min(Math.max(tap, 0), side - 1)] += cubic(Math.abs(center - tap), -0.75);
  }
  return weights;
}

/** Weights of a kernel that is as much wider as the grid becomes smaller, without the values outside. */
function smoothWeights(count: number, side: number): number[] {
  const stretch = Math.max(side / count, 1);
  return Array.from({ length: count }, (_, i) => {
    const center = ((i + 0.5) * side) / count;
    const from = Math.max(Math.trunc(center - 2 * stretch + 0.5), 0);
    const to = Math.min(Math.trunc(center + 2 * stretch + 0.5), side);
    const row = Array.from({ length: side }, (_value, tap) =>
      tap < from || tap >= to ? 0 : cubic(Math.abs((tap - center + 0.5) / stretch), -0.5),
    );
    const sum = row.reduce((a, b) => a + b, 0);
    return row.map((weight) => weight / sum);
  }).flat();
}

/** Keys' kernel at a distance from 0. PyTorch's `a` is −0.75, with antialiasing −0.5. */
const cubic = (d: number, a: number): number => {
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((d - 5) * d + 8) * d * a - 4 * a : 0;
};
