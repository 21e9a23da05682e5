import type { NumberColumns } from '../../../src/protocol/prediction-columns';
import { ticksWithin } from './ticks';

/** With more examples, points would hide each other, and slow down the page. */
const MOST_POINTS = 1000;
/** Cells per side in place of points. */
const CELLS = 48;
/** Space beyond the outermost values, as a share of their range. */
const MARGIN = 0.04;

/** Predicted against true numbers. Both axes have the same ends, so that the diagonal is where they are equal. */
export interface Plot {
  /** Positions are shares of the axes. */
  ticks: { label: string; at: number }[];
  points: PlotPoint[];
  /** In place of points, for many examples: those with any. */
  cells: PlotCell[];
  /** The number of examples in the fullest cell. */
  most: number;
}

export interface PlotPoint {
  example: number;
  x: number;
  y: number;
}

/** A square, from (x, y) on. */
export interface PlotCell {
  x: number;
  y: number;
  size: number;
  count: number;
}

export function plotOf({ value, predicted }: NumberColumns): Plot {
  const [low, high] = axisOf(value, predicted);
  const share = (v: number) => (v - low) / (high - low);
  const ticks = ticksWithin(low, high).map(({ value: v, label }) => ({ label, at: share(v) }));
  if (value.length <= MOST_POINTS)
    return {
      ticks,
      points: Array.from(value, (v, example) => ({ example, x: share(v), y: share(predicted[example]) })),
      cells: [],
      most: 0,
    };
  const counts = new Uint32Array(CELLS * CELLS);
  const at = (v: number) => Math.min(CELLS - 1, Math.floor(CELLS * share(v)));
  value.forEach((v, i) => counts[at(predicted[i]) * CELLS + at(v)]++);
  const cells = Array.from(counts, (count, i): PlotCell => ({
    x: (i % CELLS) / CELLS,
    y: Math.floor(i / CELLS) / CELLS,
    size: 1 / CELLS,
    count,
  })).filter((c) => c.count > 0);
  return { ticks, points: [], cells, most: Math.max(...cells.map((c) => c.count)) };
}

/** The ends of the axes. */
function axisOf(...all: readonly Float64Array[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const values of all)
    for (const v of values) {
      if (v < low) low = v;
      if (v > high) high = v;
    }
  const margin = low < high ? MARGIN * (high - low) : Math.abs(low) / 10 || 1;
  return [low - margin, high + margin];
}
