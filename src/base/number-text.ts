import { t } from './l10n';

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

/** 0.612 as "61.2%". */
export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)}%`;

/** A share of any size in three significant digits: 0.0598%, 6.26%, 147%. */
export function sharePercent(share: number): string {
  if (share > 0 && share < 1e-5) return '<0.001%';
  return share === 0 || share >= 9.995 ? percent(share, 0) : `${(100 * share).toPrecision(3)}%`;
}

/** A percentage of any size, rounded for reading: 0%, 0.4%, 12%, 130%; `tiny` for less than 0.1%. */
export function roughPercent(share: number, tiny = '<0.1%'): string {
  if (share === 0) return '0%';
  return share < 0.001 ? tiny : percent(share, share < 0.1 ? 1 : 0);
}

/** 93.4%, and never rounded to 0% or 100%. */
export function cautiousPercent(share: number): string {
  if (share === 0 || share === 1) return percent(share, 0);
  if (share < 0.0005) return '<0.1%';
  return share > 0.9995 ? '>99.9%' : percent(share);
}

/** Progress in percent, rounded down, so that it is never 100% before the end. */
export const progressPercent = (done: number, total: number): string =>
  `${Math.floor((100 * done) / total)}%`;

/** A duration: "48 ms", "3.2 s", "48 s", "3 min 12 s", "2 h"; "–" for NaN. */
export function durationText(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 0.1 && seconds > 0) return stepTime(seconds);
  if (seconds < 9.95 && !Number.isInteger(seconds)) return t('{0} s', Number(seconds.toFixed(1)));
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t('{0} s', whole);
  if (whole < 3600) return two([t('{0} min', Math.floor(whole / 60)), t('{0} s', whole % 60)], whole % 60);
  const minutes = Math.round(whole / 60);
  return two([t('{0} h', Math.floor(minutes / 60)), t('{0} min', minutes % 60)], minutes % 60);
}

/** A time that was estimated: "less than a minute", "about 12 min", "about 2 h 5 min". */
export function estimateText(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (minutes < 1) return t('less than a minute');
  if (minutes < 60) return t('about {0} min', minutes);
  const [hours, rest] = [Math.floor(minutes / 60), 5 * Math.floor((minutes % 60) / 5)];
  return rest === 0 ? t('about {0} h', hours) : t('about {0} h {1} min', hours, rest);
}

/** The second part only if there is something in it. */
const two = ([first, second]: [string, string], rest: number): string =>
  rest === 0 ? first : `${first} ${second}`;

/** A short time that was measured, such as a step's: "3.2 ms", "48 ms", "1.25 s", "12.6 s". */
export function stepTime(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 0.1) return `${(1000 * seconds).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
  return `${seconds.toFixed(seconds < 9.995 ? 2 : seconds < 99.95 ? 1 : 0)} s`;
}
