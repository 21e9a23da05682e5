/** From LARGE on, and below SMALL, measured numbers and ticks have exponents. */
export const LARGE = 1e7;
export const SMALL = 1e-3;
/** Settings have exponents below this. */
const SMALL_SETTING = 1e-4;
/** Rates have exponents below this, so that rates of different sizes are written alike: 1e-3, 5e-2. */
export const SMALL_RATE = 1;

/** A whole number with separators: 74,208. Not by the locale, whose first use takes 50 ms of a program's start. */
export const count = (n: number): string =>
  Number.isSafeInteger(n) ? String(n).replace(/\B(?=(\d{3})+$)/g, ',') : n.toLocaleString('en-US');

/**
 * A measured number of any size, in three significant digits or all of a larger whole part: 0.892, 12.3, 1,234,567,
 * 4.5e-6; "–" for NaN. For reading: tables of data and CSV have all digits.
 */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '–' : String(value);
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= LARGE || size < SMALL) return withExponent(value, 2);
  return size >= 999.5 ? count(Math.round(value)) : String(Number(value.toPrecision(3)));
}

/** A number of the data, true or predicted: four significant digits, or all of a larger whole part, of any size. */
export function numberText(value: number): string {
  const size = Math.abs(value);
  if (size >= 1000 && size < 1e15) return count(Math.round(value));
  return String(Number(value.toPrecision(4)));
}

/**
 * A number in a column of its kind: with the same decimals as others, fewer from 10 on, so that it never has more than
 * four digits after the first.
 */
export function decimalText(value: number, decimals: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value) || size >= 1000) return shortNumber(value);
  const whole = size < 10 ? 0 : Math.floor(Math.log10(size));
  return value.toFixed(Math.max(0, Math.min(decimals, 4 - whole)));
}

/** A number in a file that people read and edit: 5e-4, 0.02, 512. */
export const writtenNumber = (value: number): string => withExponentBelow(value, 1e-2);

/** A setting with all its digits: 0.02, 0.005, 512, 1e-8. */
export const settingNumber = (value: number): string => withExponentBelow(value, SMALL_SETTING);

/** A learning rate, or another setting that is varied by factors, with all its digits: 5e-4, 2e-2. */
export const rateNumber = (value: number): string => withExponentBelow(value, SMALL_RATE);

const withExponentBelow = (value: number, small: number): string =>
  value !== 0 && Math.abs(value) < small ? value.toExponential() : String(value);

/** A learning rate that a schedule computed: as its setting is written, in three significant digits. */
export const rateText = (rate: number): string =>
  Number.isFinite(rate) ? rateNumber(Number(rate.toPrecision(3))) : '–';

/** A difference between results that should agree: 4.5e-6. */
export const errorText = (error: number): string => (error === 0 ? '0' : withExponent(error, 1));

/** R² to three digits, four just below 1: only a perfect line shows as 1. */
export const r2Text = (value: number): string =>
  value >= 1 ? '1' : Math.min(value, 0.9999).toFixed(value > 0.99 ? 4 : 3);

/** 4.5e-6, 2e7: without insignificant zeros. */
export function withExponent(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return String(value);
  const [mantissa, exponent] = value.toExponential(decimals).split('e');
  return `${Number(mantissa)}e${Number(exponent)}`;
}

/** 0.5, 12.25: without insignificant zeros; "–" for NaN. */
export const epochText = (epoch: number): string =>
  Number.isFinite(epoch) ? String(Number(epoch.toFixed(2))) : '–';

/** "312 KB", "3.2 GB", in powers of 1000. */
export function bytes(size: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}
