import { percent } from '../../src/base/percent';
import { count } from '../../src/base/number-text';

/** A percentage for reading: 25.2%, 0.060%. */
export function finePercent(share: number): string {
  const value = 100 * share;
  const digits = value >= 10 ? 1 : value >= 1 ? 2 : 3;
  return value > 0 && value < 0.001 ? '< 0.001%' : percent(share, digits);
}

const BYTES = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
const OPERATIONS = ['FLOP', 'kFLOP', 'MFLOP', 'GFLOP', 'TFLOP', 'PFLOP', 'EFLOP'];

/** Three significant digits: 309 KiB. */
export const bytes = (n: number): string => scaled(n, 1024, BYTES);
export const flops = (n: number): string => scaled(n, 1000, OPERATIONS);

function scaled(n: number, step: number, units: readonly string[]): string {
  let unit = 0;
  while (n >= step && unit < units.length - 1) {
    n /= step;
    unit++;
  }
  const digits = unit === 0 || n >= 100 ? 0 : n >= 10 ? 1 : 2;
  return `${unit === 0 ? count(n) : n.toFixed(digits)} ${units[unit]}`;
}

/** Short axis labels: 0, 250k, 1.5M. */
export function axisMark(n: number): string {
  const [unit, size] = n >= 1e9 ? ['B', 1e9] : n >= 1e6 ? ['M', 1e6] : n >= 1e3 ? ['k', 1e3] : ['', 1];
  return `${Number((n / size).toPrecision(3))}${unit}`;
}
