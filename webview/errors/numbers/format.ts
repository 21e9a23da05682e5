/** Digits of the range of the true numbers that are shown. */
const DIGITS = 4;

export interface NumberFormat {
  plain(value: number): string;
  /** Without zeros at its end. */
  short(value: number): string;
  /** With its sign. */
  signed(value: number): string;
}

/** With the same decimals for all numbers, so that they can be compared in a column. */
export function formatFor(values: Float64Array): NumberFormat {
  const range = values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b));
  const whole = Math.floor(Math.log10(range || 1)) + 1;
  const digits = Math.min(Math.max(DIGITS - whole, 0), 12);
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return {
    plain: (value) => value.toLocaleString('en-US', { ...options, signDisplay: 'negative' }),
    short: (value) =>
      value.toLocaleString('en-US', { maximumFractionDigits: digits, signDisplay: 'negative' }),
    signed: (value) => value.toLocaleString('en-US', { ...options, signDisplay: 'exceptZero' }),
  };
}
