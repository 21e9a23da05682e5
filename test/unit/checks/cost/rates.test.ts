import { expect, it } from 'vitest';
import { isUsable } from '../../../../src/checks/cost/machine-rates';
import { RATES } from '../../../estimate';

it('rates of a busy machine are measured again once it is idle', () => {
  expect([true, false].map((now) => isUsable({ ...RATES, busy: true }, now))).toEqual([true, false]);
  expect([true, false].map((now) => isUsable(RATES, now))).toEqual([true, true]);
});
