import { shortNumber } from '../../src/base/number-text';

const OPERATIONS = ['FLOP', 'kFLOP', 'MFLOP', 'GFLOP', 'TFLOP', 'PFLOP', 'EFLOP'];

/** Three significant digits: 309 MFLOP. */
export function flops(n: number): string {
  let unit = 0;
  while (n >= 999.5 && unit < OPERATIONS.length - 1) {
    n /= 1000;
    unit++;
  }
  return `${shortNumber(n)} ${OPERATIONS[unit]}`;
}

/** Short axis labels: 0, 250k, 1.5M. */
export function axisMark(n: number): string {
  const [unit, size] = n >= 1e9 ? ['B', 1e9] : n >= 1e6 ? ['M', 1e6] : n >= 1e3 ? ['k', 1e3] : ['', 1];
  return `${Number((n / size).toPrecision(3))}${unit}`;
}
