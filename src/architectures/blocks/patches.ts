import { AuroraError } from '../../base/errors';
import { DType } from '../../graph/dtype';
import type { Config } from '../folder/config';
import type { Network } from './network';
import { flat } from './text';

/** The division of images into patches. */
export interface PatchProjection {
  /** Module of the convolution. */
  module: string;
  hidden: number;
  /** Side of a patch if config.json does not state it. */
  patch: number;
  /** True if it is no setting. */
  isFixed?: boolean;
  bias: boolean;
  /** The size of the images, if not that in config.json. */
  size?: readonly [height: number, width: number];
  /** True if images are padded with 0 to whole patches; otherwise the rest is not read. */
  padded?: boolean;
}

/** Patches of images. */
export interface Patches {
  /** (batch, patches, hidden) */
  x: string;
  count: number;
  /** The number of patches in a column and in a row. */
  grid: [rows: number, columns: number];
  /** A vector tensor: (batch). */
  batch: string;
}

/**
 * The input pixel_values (batch, channels, height, width), as one vector for each patch.
 *
 * @throws AuroraError 'model' if patches are larger than the images
 */
export function patches(net: Network, config: Config, projection: PatchProjection): Patches {
  const { module, hidden, bias } = projection;
  const size = projection.size ?? config.size('image_size', 224);
  const { patch: usual } = projection;
  const patch = projection.isFixed ? [usual, usual] : config.size('patch_size', usual);
  const channels = config.count('num_channels', 3);
  if (size.some((side, i) => side < patch[i]))
    throw new AuroraError(
      'model',
      `${config.path}: patches of ${patch.join(' × ')} do not fit into images of ${size.join(' × ')}.`,
      'Download the config.json of this model again.',
    );
  const whole = projection.padded ? Math.ceil : Math.floor;
  const grid: [number, number] = [whole(size[0] / patch[0]), whole(size[1] / patch[1])];
  const count = grid[0] * grid[1];
  const left = grid.map((n, i) => Math.max(0, n * patch[i] - size[i]));
  const pixels = net.g.addInput('pixel_values', DType.float, ['batch', channels, ...size]);
  const weight = net.weight(`${module}.weight`, [hidden, channels, ...patch]);
  const inputs = [pixels, weight, ...(bias ? [net.weight(`${module}.bias`, [hidden])] : [])];
  const maps = net.op(module, 'Conv', inputs, {
    kernel_shape: patch,
    strides: patch,
    ...(projection.padded && { pads: [0, 0, ...left] }),
  });
  const at = 'embeddings';
  const batch = net.op(at, 'Slice', [net.op(at, 'Shape', [pixels]), net.g.ints([0]), net.g.ints([1])]);
  const rows = net.op(at, 'Reshape', [maps, sized(net, batch, hidden, count)]);
  return { x: net.op(at, 'Transpose', [rows], { perm: [0, 2, 1] }), count, grid, batch };
}

/** Tokens between the first ones and the patches, which have no positions. */
export interface Registers {
  /** (1, count, hidden) */
  table: string;
  count: number;
}

/**
 * Tokens before the patches, and positions added to all.
 *
 * @param tokens each of hidden values
 * @param positions broadcast to (batch, tokens, hidden); undefined if tokens have none
 * @returns x (tokens, hidden), and rows: a vector tensor (batch, sequence)
 */
export function patchTokens(
  net: Network,
  { x, count, batch }: Patches,
  hidden: number,
  tokens: readonly string[],
  positions: string | undefined,
  registers?: Registers,
): { x: string; rows: string } {
  const at = 'embeddings';
  const first = tokens.map((token) => net.op(at, 'Expand', [token, sized(net, batch, 1, hidden)]));
  const joined = (...parts: string[]) =>
    parts.length === 1 ? parts[0] : net.op(at, 'Concat', parts, { axis: 1 });
  const all = joined(...first, x);
  const placed = positions === undefined ? all : net.op(at, 'Add', [all, positions]);
  if (!registers) return { x: flat(net, placed, hidden), rows: sized(net, batch, tokens.length + count) };
  const [head, rest] = net.ops(
    at,
    'Split',
    [placed, net.g.ints([1, tokens.length - 1 + count])],
    { axis: 1 },
    2,
  );
  const between = net.op(at, 'Expand', [registers.table, sized(net, batch, registers.count, hidden)]);
  const whole = net.op(at, 'Concat', [head, between, rest], { axis: 1 });
  return { x: flat(net, whole, hidden), rows: sized(net, batch, tokens.length + registers.count + count) };
}

const sized = (net: Network, batch: string, ...rest: number[]): string =>
  net.op('embeddings', 'Concat', [batch, net.g.ints(rest)], { axis: 0 });

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
