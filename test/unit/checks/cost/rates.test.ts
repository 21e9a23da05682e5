import { expect, it } from 'vitest';
import { isUsable } from '../../../../src/checks/cost/rates';

const RATES = { at: 1, threads: 2, gflops: 1, bytesPerSecond: 1, secondsPerNode: 0, functionsPerSecond: 1 };

it('what was measured on a busy machine is measured again once it is not', () => {
  expect([true, false].map((now) => isUsable({ ...RATES, busy: true }, now))).toEqual([true, false]);
  expect([true, false].map((now) => isUsable(RATES, now))).toEqual([true, true]);
});
