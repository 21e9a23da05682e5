import type { LayerSnapshot } from '../../protocol/activations';

/** Counts of one coordinate: below the range, the bins, above the range. */
export const coordinateCounts = (
  { counts, bins }: Pick<LayerSnapshot, 'counts' | 'bins'>,
  coordinate: number,
): Uint32Array => counts.subarray(coordinate * (bins + 2), (coordinate + 1) * (bins + 2));

/**
 * The representative value of each bin: its middle. For the two open bins, halfway to the extreme if the snapshot kept
 * it, else the range's end.
 */
export function binCenters(layer: LayerSnapshot, coordinate: number): Float64Array {
  const { bins, range, low, high } = layer;
  const width = (range[1] - range[0]) / bins;
  const centers = Float64Array.from({ length: bins + 2 }, (_, i) => range[0] + (i - 0.5) * width);
  centers[0] = (range[0] + Math.min(range[0], low?.[coordinate] ?? range[0])) / 2;
  centers[bins + 1] = (range[1] + Math.max(range[1], high?.[coordinate] ?? range[1])) / 2;
  return centers;
}

/**
 * The q-quantile of a coordinate's z, linear inside a bin; within the extremes if the snapshot kept them, else within
 * the histogram's range. NaN if nothing was counted.
 */
export function quantile(layer: LayerSnapshot, coordinate: number, q: number): number {
  const { bins, range } = layer;
  const counts = coordinateCounts(layer, coordinate);
  const total = counts.reduce((a, b) => a + b, 0);
  if (total === 0) return NaN;
  const low = layer.low?.[coordinate] ?? range[0];
  const high = layer.high?.[coordinate] ?? range[1];
  const width = (range[1] - range[0]) / bins;
  const edge = (i: number) =>
    i === 0
      ? Math.min(low, range[0])
      : i === bins + 2
        ? Math.max(high, range[1])
        : range[0] + (i - 1) * width;
  let left = q * total;
  let bin = 0;
  while (bin < bins + 1 && left > counts[bin]) left -= counts[bin++];
  const value = edge(bin) + (counts[bin] ? left / counts[bin] : 0) * (edge(bin + 1) - edge(bin));
  return Math.min(high, Math.max(low, value));
}

/** 0 if nothing was counted. */
export function median(layer: LayerSnapshot, coordinate: number): number {
  const m = quantile(layer, coordinate, 0.5);
  return Number.isNaN(m) ? 0 : m;
}
