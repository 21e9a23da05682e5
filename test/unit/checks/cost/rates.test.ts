import { expect, it } from 'vitest';
import { isUsable } from '../../../../src/checks/cost/machine-rates';

const RATES = {
  at: 1,
  threads: 2,
  gflops: 1,
  int8Gflops: 1,
  widened: { blocks: 1, columns: 1 },
  bytesPerSecond: 1,
  secondsPerNode: 0,
  functionsPerSecond: 1,
};

it('rates of a busy machine are measured again once it is idle', () => {
  expect([true, false].map((now) => isUsable({ ...RATES, busy: true }, now))).toEqual([true, false]);
  expect([true, false].map((now) => isUsable(RATES, now))).toEqual([true, true]);
});
