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

/** About five round values for a linear axis from 0 to `top`. */
export function linearMarks(top: number): number[] {
  const rough = top / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5, 10].find((s) => s * power >= rough) ?? 10);
  return Array.from({ length: Math.floor(top / step) + 1 }, (_, i) => i * step);
}

/** Powers of ten in the range, or if there are few, also 2 and 5 times them. */
export function logMarks(low: number, top: number): number[] {
  const marks = (factors: number[]) => {
    const found: number[] = [];
    for (let p = Math.floor(Math.log10(low)); p <= Math.log10(top); p++)
      for (const f of factors) if (f * 10 ** p >= low && f * 10 ** p <= top) found.push(f * 10 ** p);
    return found;
  };
  const tens = marks([1]);
  return tens.length >= 3 ? tens : marks([1, 2, 5]);
}

/** Ranks to label without overlap: 1 and even steps, or powers of two on a logarithmic axis. */
export function rankMarks(last: number, width: number, logarithmic: boolean): number[] {
  const most = Math.max(2, Math.floor(width / 40));
  if (logarithmic) {
    const powers = Array.from({ length: Math.floor(Math.log2(last)) + 1 }, (_, i) => 2 ** i);
    const every = Math.ceil(powers.length / most);
    return powers.filter((_, i) => i % every === 0);
  }
  const step = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512].find((s) => last / s <= most) ?? last;
  const marks = Array.from({ length: Math.floor(last / step) }, (_, i) => (i + 1) * step);
  // If 1 and the next label would overlap, only the even ones are kept.
  return (step - 1) * (width / last) >= 20 || step === 1 ? [...new Set([1, ...marks])] : marks;
}
