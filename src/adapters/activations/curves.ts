import type { AuroraSpec } from '../../experiment/methods';
import type { LayerSnapshot } from '../../protocol/activations';
import { activate, type AnlSpec } from '../methods/anl';
import { basis, basisCenters, gridStep, splineOffset, splineSupport } from '../methods/spline';

/**
 * σ along one line through the data. σ(z) = act(H act(z)) + L(z) mixes the coordinates, so a coordinate has no
 * separate curve. Plotted is output `output` while coordinate `input` runs over the histogram's range and every other
 * coordinate stays at its median, where most of the data is.
 */
export interface Line {
  output: number;
  input: number;
  /** Values of the other coordinates, (rank). */
  rest: readonly number[];
}

/** All three (points); fixed + spline = sum. A disabled part is zero. */
export interface Curves {
  z: Float64Array;
  fixed: Float64Array;
  spline: Float64Array;
  sum: Float64Array;
}

/** H and W of a layer at one step. */
export type Weights = Pick<LayerSnapshot, 'H' | 'W'>;

/** True if the method has a σ to draw; LoRA has none. */
export const hasSigma = (layer: Weights): boolean => layer.H.length > 0 || layer.W.length > 0;

/** The median of each coordinate, (rank). */
export const medians = (layer: LayerSnapshot): number[] =>
  Array.from({ length: layer.rank }, (_, i) => median(layer, i));

/** Evenly spaced values over the histogram's range, including both ends. */
export function evenly([lo, hi]: readonly [number, number], points: number): Float64Array {
  return Float64Array.from({ length: points }, (_, i) => lo + ((hi - lo) * i) / (points - 1));
}

/** The two parts of σ and their sum at the given values of z along the line. */
export function curvesAt(weights: Weights, spec: AnlSpec, line: Line, z: Float64Array): Curves {
  const { fixed, spline } = partsAlong(weights, spec, line);
  const curves = { fixed: z.map(fixed), spline: z.map(spline) };
  return { z, ...curves, sum: curves.fixed.map((v, i) => v + curves.spline[i]) };
}

/** Only σ itself. */
export function sigmaAt(weights: Weights, spec: AnlSpec, line: Line, z: Float64Array): Float64Array {
  const { fixed, spline } = partsAlong(weights, spec, line);
  return z.map((v) => fixed(v) + spline(v));
}

/** The result of `anl`, with everything that is constant along the line computed once. */
function partsAlong({ H, W }: Weights, spec: AnlSpec, { output, input, rest }: Line) {
  const zero = () => 0;
  const r = rest.length;
  const act = (v: number) => activate(spec.activation, v);
  const others = rest.map((v, j) => [v, j]).filter(([, j]) => j !== input);
  const fixedOf = () => {
    const base = others.reduce((sum, [v, j]) => sum + H[output * r + j] * act(v), 0);
    const own = H[output * r + input];
    return (v: number) => act(base + own * act(v));
  };
  const splineOf = () => {
    const h = gridStep(spec);
    const centers = basisCenters(spec);
    const one = (v: number, j: number) => {
      const at = splineOffset(spec, r, output, j);
      if (at === undefined) return 0;
      return centers.reduce(
        (sum, center, b) => sum + W[at + b] * basis(spec.splineOrder, (v - center) / h),
        0,
      );
    };
    const base = others.reduce((sum, [v, j]) => sum + one(v, j), 0);
    return (v: number) => base + one(v, input);
  };
  return { fixed: spec.fixed ? fixedOf() : zero, spline: spec.learnable ? splineOf() : zero };
}

/**
 * Share of z outside the spline's support: counted if the snapshot has it, else from the histogram, with the bins at
 * the edges in proportion.
 */
export function outsideShare(layer: LayerSnapshot, spec: AuroraSpec, coordinate?: number): number {
  const all = coordinate === undefined ? Array.from({ length: layer.rank }, (_, i) => i) : [coordinate];
  if (layer.tokens === 0) return 0;
  const total = all.reduce((sum, i) => sum + (layer.outside?.[i] ?? estimate(layer, spec, i)), 0);
  return total / (layer.tokens * all.length);
}

function estimate(layer: LayerSnapshot, spec: AuroraSpec, coordinate: number): number {
  const [from, to] = splineSupport(spec);
  const [lo, hi] = layer.range;
  const width = (hi - lo) / layer.bins;
  return coordinateCounts(layer, coordinate).reduce((sum, count, bin) => {
    if (bin === 0 || bin === layer.bins + 1) return sum + count;
    const left = lo + (bin - 1) * width;
    const inside = Math.max(0, Math.min(to, left + width) - Math.max(from, left));
    return sum + count * (1 - inside / width);
  }, 0);
}

/**
 * A slope below this share of the steepest counts as flat: a step there moves the output by a twentieth of the maximum.
 */
const FLAT_SLOPE = 0.05;

export interface Shape {
  /** R² of the best straight line through σ, weighted by the data: 1 is a line. */
  linearity: number;
  /** Share of z where σ's slope is below FLAT_SLOPE of its steepest, or act itself is saturated. */
  saturation: number;
  /** RMS difference to the same curve with the first snapshot's H and W, weighted by the data. */
  change: number;
  /**
   * The change as a share of the curve's spread (weighted standard deviation); Infinity for a flat curve that moved.
   */
  relativeChange: number;
}

/** Sums that determine the shape of one curve, or of several together. */
interface Sums {
  weight: number;
  spread: number;
  residual: number;
  flat: number;
  moved: number;
}

/** The shape of output i along its own coordinate, weighted by the data, for one coordinate or the whole layer. */
export function shapeOf(layer: LayerSnapshot, first: Weights, spec: AnlSpec, lines: readonly Line[]): Shape {
  const sums: Sums = { weight: 0, spread: 0, residual: 0, flat: 0, moved: 0 };
  for (const line of lines) addLine(sums, layer, first, spec, line);
  const { weight, spread, residual, flat, moved } = sums;
  if (weight === 0) return { linearity: 1, saturation: 0, change: 0, relativeChange: 0 };
  const change = Math.sqrt(moved / weight);
  const deviation = Math.sqrt(spread / weight);
  return {
    // A constant curve has rounding noise too; a constant is a line.
    linearity: deviation < 1e-9 ? 1 : Math.max(0, 1 - residual / spread),
    saturation: flat / weight,
    change,
    relativeChange: change === 0 ? 0 : deviation < 1e-9 ? Infinity : change / deviation,
  };
}

function addLine(sums: Sums, layer: LayerSnapshot, first: Weights, spec: AnlSpec, line: Line): void {
  const z = binCenters(layer, line.input);
  const weight = coordinateCounts(layer, line.input);
  const y = sigmaAt(layer, spec, line, z);
  const before = sigmaAt(first, spec, line, z);
  const slopes = slopesAt(layer, spec, line, z);
  const steepest = Math.max(...slopesAt(layer, spec, line, evenly(layer.range, 65)), ...slopes);
  const n = weight.reduce((a, b) => a + b, 0);
  if (n === 0) return;
  const mean = (values: ArrayLike<number>) => weight.reduce((s, w, i) => s + w * values[i], 0) / n;
  const [mz, my] = [mean(z), mean(y)];
  let [zz, zy, yy, flat, moved] = [0, 0, 0, 0, 0];
  weight.forEach((w, i) => {
    const [dz, dy] = [z[i] - mz, y[i] - my];
    zz += w * dz * dz;
    zy += w * dz * dy;
    yy += w * dy * dy;
    moved += w * (y[i] - before[i]) ** 2;
    if (slopes[i] < FLAT_SLOPE * steepest || steepest < 1e-9 || actSaturated(spec, z[i])) flat += w;
  });
  sums.weight += n;
  sums.spread += yy;
  sums.residual += zz > 0 ? Math.max(0, yy - (zy * zy) / zz) : yy;
  sums.flat += flat;
  sums.moved += moved;
}

/** |dσ/dz| by central differences, an eighth of a bin to each side. */
function slopesAt(layer: LayerSnapshot, spec: AnlSpec, line: Line, z: Float64Array): Float64Array {
  const d = (layer.range[1] - layer.range[0]) / layer.bins / 8;
  const right = sigmaAt(
    layer,
    spec,
    line,
    z.map((v) => v + d),
  );
  const left = sigmaAt(
    layer,
    spec,
    line,
    z.map((v) => v - d),
  );
  return right.map((v, i) => Math.abs(v - left[i]) / (2 * d));
}

/**
 * True if the inner act is flat at z. Leaky ReLU's negative side does not count: its slope still lets gradients
 * through.
 */
function actSaturated({ activation, fixed }: AnlSpec, z: number): boolean {
  if (!fixed || activation === 'leaky-relu') return false;
  const y = activate(activation, z);
  const slope = activation === 'tanh' ? 1 - y * y : 4 * y * (1 - y);
  return slope < FLAT_SLOPE;
}

/** Counts of one coordinate: below the range, the bins, above the range. */
export const coordinateCounts = (
  { counts, bins }: Pick<LayerSnapshot, 'counts' | 'bins'>,
  coordinate: number,
): Uint32Array => counts.subarray(coordinate * (bins + 2), (coordinate + 1) * (bins + 2));

/**
 * The representative value of each bin: its middle. For the two open bins, halfway to the extreme if the snapshot kept
 * it, else the range's end.
 */
function binCenters(layer: LayerSnapshot, coordinate: number): Float64Array {
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
function median(layer: LayerSnapshot, coordinate: number): number {
  const m = quantile(layer, coordinate, 0.5);
  return Number.isNaN(m) ? 0 : m;
}
