/** A predicted or measured number of any unit: four significant digits, or all of a larger whole part. */
export function numberText(value: number): string {
  const size = Math.abs(value);
  if (size >= 1000 && size < 1e15) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(4)));
}

/**
 * A measured number of any size, in three significant digits: 0.892, 12.3, 1,235, 4.5e-6; "–" for NaN. For reading:
 * tables of data and CSV have all digits.
 */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '–' : String(value);
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 999_999.5 || size < 0.001) return withExponent(value, 2);
  return size >= 999.5 ? count(Math.round(value)) : String(Number(value.toPrecision(3)));
}

/** 4.5e-6, 2e7: without zeros that say nothing. */
export function withExponent(value: number, decimals: number): string {
  const [mantissa, exponent] = value.toExponential(decimals).split('e');
  return `${Number(mantissa)}e${Number(exponent)}`;
}

/** A whole number with separators: 74,208. */
export const count = (n: number): string => n.toLocaleString('en-US');

/** `0.86 GB`, `2.1 GB`: decimal, as memory is sold. */
export function gigabytes(bytes: number): string {
  const gb = bytes / 1e9;
  return `${gb.toFixed(gb < 1 ? 2 : 1)} GB`;
}

/** The time of a step: `3.2 ms`, `48 ms`, `1.25 s`. */
export const stepTime = (seconds: number): string =>
  seconds < 0.1 ? milliseconds(seconds) : `${seconds.toFixed(2)} s`;

/** `3.2 ms`, `1480 ms`. */
export const milliseconds = (seconds: number): string =>
  `${(1000 * seconds).toFixed(seconds < 0.01 ? 1 : 0)} ms`;

/** "312 KB", "3.2 GB", in powers of 1000, as in file managers. */
export function bytes(size: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}
