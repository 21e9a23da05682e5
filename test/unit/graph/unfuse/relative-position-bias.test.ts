import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DType } from '../../../../src/graph/dtype';
import { unfuse } from '../../../../src/graph/unfuse/unfuse';
import { runModel } from '../onnx-models';
import { check, floats, fused } from './kernel';

/** T5's bucket of a key that comes so many tokens after its query. */
function bucketOf(after: number, buckets: number, both: boolean, longest: number): number {
  const count = both ? buckets / 2 : buckets;
  const side = both && after > 0 ? count : 0;
  const steps = both ? Math.abs(after) : Math.max(-after, 0);
  const near = Math.floor(count / 2);
  if (steps < near) return side + steps;
  const far = near + Math.floor((Math.log(steps / near) / Math.log(longest / near)) * (count - near));
  return side + Math.min(far, count - 1);
}

describe('RelativePositionBias', () => {
  it('equals its formula in T5 (the CPU has no kernel), with the heads of its table first', () =>
    check(
      fc.record({
        queries: fc.integer({ min: 1, max: 24 }),
        keys: fc.integer({ min: 1, max: 24 }),
        heads: fc.integer({ min: 1, max: 3 }),
        buckets: fc.constantFrom(4, 8, 12),
        longest: fc.constantFrom(11, 19, 128),
        both: fc.boolean(),
        seed: fc.nat(99),
      }),
      async ({ queries, keys, heads, buckets, longest, both, seed }) => {
        const table = floats([buckets, heads], seed, { constant: true });
        const length = (value: number) => ({ dims: [], values: [value], dtype: DType.int64 });
        const { model, feeds } = fused({
          op: 'RelativePositionBias',
          inputs: { table, queries: length(queries), keys: length(keys) },
          attributes: { max_distance: longest, is_bidirectional: both ? 1 : undefined },
        });
        const { y } = await runModel(unfuse(model), feeds);
        expect(y!.dims).toEqual([1, heads, queries, keys]);
        const got = Array.from(y!.data, Number);
        const want = got.map((_, i) => {
          const after = (i % keys) - (Math.floor(i / keys) % queries);
          const head = Math.floor(i / (keys * queries));
          return Math.fround(table.values[head * buckets + bucketOf(after, buckets, both, longest)]!);
        });
        expect(got).toEqual(want);
      },
      20,
    ));
});
