import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packRows } from '../../../src/data/packing';

const total = (sizes: readonly number[], row: readonly number[]) => row.reduce((sum, i) => sum + sizes[i], 0);

describe('packing', () => {
  it('puts each example into one row that has room for it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }).chain((capacity) =>
          fc.record({
            capacity: fc.constant(capacity),
            sizes: fc.array(fc.integer({ min: 1, max: capacity }), { maxLength: 300 }),
            seed: fc.nat(),
          }),
        ),
        ({ capacity, sizes, seed }) => {
          const rows = packRows(sizes, capacity, seed);
          expect(rows.flat().sort((a, b) => a - b)).toEqual(sizes.map((_, i) => i));
          const filled = rows.map((row) => total(sizes, row));
          expect(Math.max(0, ...filled)).toBeLessThanOrEqual(capacity);
          // Best fit opens no row while another has room: any two rows are fuller than one could be.
          const [least = capacity, next = capacity] = filled.sort((a, b) => a - b);
          expect(least + next).toBeGreaterThan(rows.length > 1 ? capacity : 0);
          expect(packRows(sizes, capacity, seed)).toEqual(rows);
          expect(packRows(sizes, capacity, seed + 1).length).toBe(rows.length);
        },
      ),
    );
  });

  it('takes the fullest row that has room, the longest example first', () => {
    // 6 leaves 4, 5 leaves 5; then 4 fits best beside 6, and 3 only beside 5.
    const sizes = [3, 4, 5, 6];
    expect(packRows(sizes, 10, 1)).toEqual([
      [3, 1],
      [2, 0],
    ]);
  });

  it('leaves almost nothing of rows empty that short texts can fill', () => {
    const sizes = Array.from({ length: 2000 }, (_, i) => 5 + ((i * 37) % 60));
    const rows = packRows(sizes, 256, 7);
    const tokens = sizes.reduce((a, b) => a + b);
    expect(tokens / (256 * rows.length)).toBeGreaterThan(0.99);
  });

  it('puts equally long examples together by the seed', () => {
    const sizes = new Array<number>(12).fill(4);
    expect(packRows(sizes, 8, 1)).not.toEqual(packRows(sizes, 8, 2));
  });
});
