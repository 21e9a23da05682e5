import { shortNumber } from '../../src/base/number-text';

/** Always three decimals where that says something, so that a column of losses lines up. */
export const loss = (value: number): string =>
  value > 0 && value < 0.001 ? shortNumber(value) : value.toFixed(value < 10 ? 3 : 1);
