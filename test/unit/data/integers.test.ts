import { expect, it } from 'vitest';
import { integers } from '../../../src/data/batch';
import { DType } from '../../../src/graph/dtype';

it('writes integers of 64 bits, of either sign', () => {
  const values = Int32Array.of(0, 1, -1, 30_521, -100, 2 ** 31 - 1, -(2 ** 31));
  const { data, dims } = integers(DType.int64, [1, 7], values);
  expect(data).toEqual(BigInt64Array.from(values, BigInt));
  expect(dims).toEqual([1, 7]);
  expect(integers(DType.int32, [1, 7], values).data).toBe(values);
});
