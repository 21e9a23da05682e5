import type { Columns } from './answer-kind';

/** Examples with something in common. */
export interface Slice {
  count: number;
  right: number;
  /** The mean; 0 without examples. */
  loss: number;
  /** Examples longer than the model reads. */
  cut: number;
}

/** Range of token counts, both ends inclusive. */
export interface LengthBin {
  from: number;
  to: number;
}

/** With fewer examples, a slice's accuracy may be chance: with 30 it is known to within about 18 points. */
export const FEW = 30;

/** Number of bins of roughly equal size, if the lengths allow it. */
const BINS = 5;

/** NaN without examples. */
export const accuracyOf = ({ right, count }: Slice): number => right / count;

export const lengthSlices = (columns: Columns, wrong: Uint8Array, bins: readonly LengthBin[]): Slice[] =>
  slicesOf(columns, wrong, bins.length, (i) => binOf(bins, columns.tokens[i]));

/** The bin that a value is in, of bins that have every value. */
export const binOf = (bins: readonly { to: number }[], value: number): number =>
  bins.findIndex((b) => value <= b.to);

/** @param sliceOf the slice that an example is in, from 0 to `many` */
export function slicesOf(
  { loss, cut }: Columns,
  wrong: Uint8Array,
  many: number,
  sliceOf: (example: number) => number,
): Slice[] {
  const all = Array.from({ length: many }, (): Slice => ({ count: 0, right: 0, loss: 0, cut: 0 }));
  for (let i = 0; i < loss.length; i++) {
    const slice = all[sliceOf(i)];
    slice.count++;
    slice.right += 1 - wrong[i];
    slice.loss += loss[i];
    slice.cut += cut[i];
  }
  return all.map((s) => ({ ...s, loss: s.count ? s.loss / s.count : 0 }));
}

/** Quantiles of the lengths, at round numbers. Each bin has examples, and every length is in exactly one. */
export function lengthBins(tokens: Uint32Array): LengthBin[] {
  const sorted = tokens.toSorted();
  const quantiles = Array.from({ length: BINS - 1 }, (_, k) =>
    edge(sorted, ((k + 1) * sorted.length) / BINS),
  );
  const starts = [sorted[0], ...quantiles.filter((start) => start > sorted[0])];
  const unlike = starts.filter((start, i) => {
    const next = starts[i + 1] ?? Infinity;
    return sorted.some((length) => length >= start && length < next);
  });
  return unlike.map((from, i) => ({ from, to: (unlike[i + 1] ?? sorted.at(-1)! + 1) - 1 }));
}

/** The length at a position, rounded unless many examples have exactly this length, as truncated texts do. */
function edge(sorted: Uint32Array, at: number): number {
  const length = sorted[Math.floor(at)];
  const same = sorted.lastIndexOf(length) - sorted.indexOf(length) + 1;
  const step = length < 20 ? 1 : length < 100 ? 5 : length < 500 ? 10 : 50;
  const rounded = Math.round(length / step) * step;
  return same >= sorted.length / BINS || rounded > sorted.at(-1)! ? length : rounded;
}
