import { shortNumber, roughPercent } from '../../src/base/number-text';
import type { ShapeNumbers } from '../../src/protocol/panels/activations';

/** Three digits, with a proper minus sign. */
export const number = (value: number): string => {
  if (!Number.isFinite(value)) return value > 0 ? '∞' : value < 0 ? '−∞' : '–';
  return Math.abs(value) < 1e-12 ? '0' : shortNumber(value).replace(/^-/, '−');
};

export const shareText = (share: number): string => (Number.isFinite(share) ? roughPercent(share) : '–');

/** About `count` round numbers inside the range. */
export function ticks([lo, hi]: readonly [number, number], count: number): number[] {
  const rough = (hi - lo) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= rough) ?? 10);
  const first = Math.ceil(lo / step - 1e-9);
  const last = Math.floor(hi / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

export const csv = (rows: readonly (readonly (string | number)[])[]): string =>
  rows
    .map((row) =>
      row.map((v) => (/[",\n]/.test(String(v)) ? `"${String(v).replaceAll('"', '""')}"` : v)).join(','),
    )
    .join('\n');

export type Sort = 'path' | 'change' | 'linearity' | 'saturation' | 'outside' | 'rise';

/** Larger first. */
export const SORTS: Record<Exclude<Sort, 'path' | 'rise'>, (s: ShapeNumbers) => number> = {
  change: (s) => s.relativeChange,
  linearity: (s) => -s.linearity,
  saturation: (s) => s.saturation,
  outside: (s) => s.outside ?? 0,
};
