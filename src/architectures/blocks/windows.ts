import { DType } from '../../graph/dtype';
import type { Network } from './network';

/** The division of a map of tokens into square windows, in each of which all tokens attend to each other. */
export interface WindowGrid {
  /** The rows of the map. */
  rows: number;
  columns: number;
  /** Features of a token. */
  size: number;
  /** Side of a window. */
  side: number;
  /** The number of tokens by which the map is turned, up and to the left, before it is cut. */
  shift: number;
}

/** The sides of the map with padding to whole windows. */
const padded = ({ rows, columns, side }: WindowGrid): [rows: number, columns: number] => [
  Math.ceil(rows / side) * side,
  Math.ceil(columns / side) * side,
];

/** Tokens (images · rows · columns, size) in the order of their windows, padded with 0. */
export function intoWindows(net: Network, at: string, x: string, grid: WindowGrid): string {
  const { rows, columns, size, side, shift } = grid;
  const [height, width] = padded(grid);
  const shaped = (y: string, ...dims: number[]) => net.op(at, 'Reshape', [y, net.g.ints(dims)]);
  const map = padMap(net, at, shaped(x, -1, rows, columns, size), [height - rows, width - columns]);
  const turned = roll(net, at, map, shift, height, width);
  const bands = shaped(turned, -1, side, width / side, side * size);
  return shaped(net.op(at, 'Transpose', [bands], { perm: [0, 2, 1, 3] }), -1, size);
}

/** The tokens of the windows in their original order, without the padding. */
export function fromWindows(net: Network, at: string, x: string, grid: WindowGrid): string {
  const { rows, columns, size, side, shift } = grid;
  const [height, width] = padded(grid);
  const shaped = (y: string, ...dims: number[]) => net.op(at, 'Reshape', [y, net.g.ints(dims)]);
  const bands = net.op(at, 'Transpose', [shaped(x, -1, width / side, side, side * size)], {
    perm: [0, 2, 1, 3],
  });
  const turned = shaped(bands, -1, height, width, size);
  const map = roll(net, at, turned, shift && height - shift, height, width, shift && width - shift);
  const isPadded = height > rows || width > columns;
  const cut = (y: string) =>
    net.op(at, 'Slice', [y, net.g.ints([0, 0]), net.g.ints([rows, columns]), net.g.ints([1, 2])]);
  return shaped(isPadded ? cut(map) : map, -1, size);
}

/**
 * The values that are added to the scores of a turned map: −100, as in transformers, for two tokens that share a window
 * only because the map was turned, and 0 for others.
 *
 * @returns (windows, 1, side², side²)
 */
export function turnedBias(net: Network, at: string, grid: WindowGrid): string {
  const { side, shift } = grid;
  const [height, width] = padded(grid);
  const part = (place: number, length: number) =>
    place < length - side ? 0 : place < length - shift ? 1 : 2;
  const parts: number[] = [];
  for (let top = 0; top < height; top += side)
    for (let left = 0; left < width; left += side)
      for (let i = 0; i < side * side; i++)
        parts.push(3 * part(top + Math.floor(i / side), height) + part(left + (i % side), width));
  const [count, area] = [parts.length / side ** 2, side ** 2];
  const of = (...dims: number[]) => net.g.constant(DType.int64, dims, parts);
  const same = net.op(at, 'Equal', [of(count, 1, area, 1), of(count, 1, 1, area)]);
  return net.op(at, 'Where', [same, net.float(0), net.float(-100)]);
}

/**
 * The values that each head adds to the scores of two tokens of a window, by their distance in each direction: a table
 * with a row for each of (2 · side − 1)² distances.
 *
 * @returns (1, heads, side², side²)
 */
export function windowDistances(net: Network, at: string, side: number, heads: number): string {
  const span = 2 * side - 1;
  const table = net.weight(`${at}.relative_position_bias_table`, [span * span, heads]);
  const area = side * side;
  const row = (i: number) => Math.floor(i / side);
  const index = Array.from({ length: area * area }, (_, n) => {
    const [query, key] = [Math.floor(n / area), n % area];
    return (row(query) - row(key) + side - 1) * span + ((query % side) - (key % side) + side - 1);
  });
  const found = net.op(at, 'Gather', [table, net.g.constant(DType.int64, [area, area], index)]);
  return net.op(at, 'Unsqueeze', [net.op(at, 'Transpose', [found], { perm: [2, 0, 1] }), net.g.ints([0])]);
}

/**
 * The values that each head adds to the scores of two tokens, of which the first stands for the whole map and the others
 * are a square map: by their distance in each direction, and in the last three rows of the table for pairs with the
 * first token.
 *
 * @param index as `distanceIndex` makes it
 * @returns (1, heads, 1 + side², 1 + side²)
 */
export function distancesWithFirst(
  net: Network,
  at: string,
  index: string,
  side: number,
  heads: number,
): string {
  const table = net.weight(`${at}.relative_position_bias_table`, [distanceCount(side), heads]);
  const found = net.op(at, 'Gather', [table, index]);
  return net.op(at, 'Unsqueeze', [net.op(at, 'Transpose', [found], { perm: [2, 0, 1] }), net.g.ints([0])]);
}

/** The rows of a table of distances: those of a map, and from the first token, to it, and within it. */
const distanceCount = (side: number): number => (2 * side - 1) ** 2 + 3;

/** The row of the table for two tokens: int64 (1 + side², 1 + side²). It is made in the graph, since it is large. */
export function distanceIndex(net: Network, side: number): string {
  const [at, area, count] = ['embeddings', side * side, distanceCount(side)];
  const span = 2 * side - 1;
  const ints = (dims: number[], values: number[]) => net.g.constant(DType.int64, dims, values);
  const places = Array.from({ length: area }, (_, i) => Math.floor(i / side) * span + (i % side));
  const middle = (side - 1) * (span + 1);
  const queries = ints(
    [area, 1],
    places.map((place) => place + middle),
  );
  const between = net.op(at, 'Sub', [queries, ints([1, area], places)]);
  const toFirst = ints([area, 1], new Array<number>(area).fill(count - 2));
  const fromFirst = ints([1, area + 1], [count - 1, ...new Array<number>(area).fill(count - 3)]);
  const below = net.op(at, 'Concat', [toFirst, between], { axis: 1 });
  return net.op(at, 'Concat', [fromFirst, below], { axis: 0 });
}

/** Rows below and columns right of a map (images, rows, columns, size). */
export function padMap(net: Network, at: string, map: string, [below, right]: readonly number[]): string {
  if (below === 0 && right === 0) return map;
  return net.op(at, 'Pad', [map, net.g.ints([0, 0, 0, 0, 0, below, right, 0])]);
}

/** Moves rows up and columns to the left; those that fall out come in on the other side. */
function roll(
  net: Network,
  at: string,
  map: string,
  up: number,
  height: number,
  width: number,
  left = up,
): string {
  if (up === 0 && left === 0) return map;
  const along = (x: string, axis: number, by: number, length: number) => {
    const part = (from: number, to: number) =>
      net.op(at, 'Slice', [x, net.g.ints([from]), net.g.ints([to]), net.g.ints([axis])]);
    return net.op(at, 'Concat', [part(by, length), part(0, by)], { axis });
  };
  return along(along(map, 1, up, height), 2, left, width);
}
