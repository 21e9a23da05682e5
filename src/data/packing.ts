import { permutation, Stream } from '../base/random';
import { longestFirst } from './row-order';

/**
 * Puts examples into rows of at most `capacity` tokens, the longest first and each into the fullest row that it fits
 * into: best-fit decreasing, which needs at most 11/9 of the fewest possible rows, and one (Johnson et al., "Worst-case
 * performance bounds for simple one-dimensional packing algorithms", SIAM J. Comput. 1974). The number of rows follows
 * from the lengths alone; the seed decides which of equally long examples share one.
 *
 * @param sizes from 1 to `capacity`
 * @returns the examples of each row: every one once
 */
export function packRows(sizes: ArrayLike<number>, capacity: number, seed: number): number[][] {
  const rows: number[][] = [];
  const open = new OpenRows(capacity);
  for (const example of longestFirst(sizes, permutation(sizes.length, seed, Stream.packing))) {
    const size = sizes[example]!;
    const found = open.take(size);
    const { row, room } = found ?? { row: rows.push([]) - 1, room: capacity };
    rows[row]!.push(example);
    open.put(row, room - size);
  }
  return rows;
}

/** Rows by the space they have left. */
class OpenRows {
  private readonly rows: number[][];
  /** A bit for each amount of space that a row has, so that the next larger one is found quickly. */
  private readonly some: Uint32Array;

  constructor(capacity: number) {
    this.rows = Array.from({ length: capacity + 1 }, () => []);
    this.some = new Uint32Array((capacity >> 5) + 1);
  }

  put(row: number, room: number): void {
    this.rows[room]!.push(row);
    this.some[room >> 5]! |= 1 << (room & 31);
  }

  /** Removes a row with the least space that suffices. */
  take(size: number): { row: number; room: number } | undefined {
    let word = size >> 5;
    // In the first word, without smaller amounts.
    let bits = this.some[word]! & (-1 << (size & 31));
    while (bits === 0 && ++word < this.some.length) bits = this.some[word]!;
    if (bits === 0) return undefined;
    const room = (word << 5) + 31 - Math.clz32(bits & -bits);
    const rows = this.rows[room]!;
    const row = rows.pop()!;
    if (rows.length === 0) this.some[word]! &= ~(1 << (room & 31));
    return { row, room };
  }
}
