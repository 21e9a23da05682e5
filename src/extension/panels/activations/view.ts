import {
  coordinateCounts,
  quantile,
  curvesAt,
  evenly,
  hasSigma,
  medians,
  outsideShare,
  shapeOf,
  sigmaAt,
  type Line,
  type Weights,
} from '../../../adapters/activations/curves';
import { RANGE_SHARE, type LayerShape } from '../../../adapters/activations/shape-words';
import { basisCenters } from '../../../adapters/methods/spline';
import { NO_SAMPLE, SAMPLES_PER_BIN, type LayerSnapshot } from '../../../protocol/activations';
import type { AuroraSpec } from '../../../experiment/methods';
import {
  CARD_CURVES,
  type LayerCard,
  type LayerMessage,
  type ShapeNumbers,
} from '../../../protocol/panels/activations';

/** Points for a curve in a small card, and for one as wide as the window. */
const CARD_POINTS = 65;
const LARGE_POINTS = 241;

/** The default line along which σ is drawn: output i over its own coordinate. */
const ownLines = (layer: LayerSnapshot): Line[] => {
  const rest = medians(layer);
  return rest.map((_, i) => ({ output: i, input: i, rest }));
};

/** @param spec undefined for a method without σ */
export function layerCard(layer: LayerSnapshot, first: Weights, spec: AuroraSpec | undefined): LayerCard {
  const { path, rank, range, bins, tokens } = layer;
  const counts = new Uint32Array(bins + 2);
  for (let i = 0; i < rank; i++) coordinateCounts(layer, i).forEach((n, b) => (counts[b] += n));
  const card: LayerCard = { path, rank, range, tokens, counts, curves: [] };
  if (!spec || !hasSigma(layer)) return card;
  const z = evenly(range, CARD_POINTS);
  const lines = ownLines(layer);
  card.curves = lines.slice(0, CARD_CURVES).map((line) => Float32Array.from(sigmaAt(layer, spec, line, z)));
  card.shape = numbers(layer, first, spec, lines);
  return card;
}

function numbers(
  layer: LayerSnapshot,
  first: Weights,
  spec: AuroraSpec,
  lines: Line[],
  coordinate?: number,
): ShapeNumbers {
  const shape = shapeOf(layer, first, spec, lines);
  return { ...shape, ...(spec.learnable && { outside: outsideShare(layer, spec, coordinate) }) };
}

/** The data that the word list is built from. */
export function layerShape(layer: LayerSnapshot, shape: ShapeNumbers): LayerShape {
  const tail = (1 - RANGE_SHARE) / 2;
  const over = (q: number) => Array.from({ length: layer.rank }, (_, i) => quantile(layer, i, q));
  return {
    ...shape,
    path: layer.path,
    reach: [Math.min(...over(tail)), Math.max(...over(1 - tail))],
  };
}

export function layerMessage(
  layer: LayerSnapshot,
  first: Weights,
  spec: AuroraSpec | undefined,
  at: { step: number; firstStep: number; output: number; input: number },
): LayerMessage {
  const { path, rank, range, tokens, low, high } = layer;
  const [output, input] = [Math.min(at.output, rank - 1), Math.min(at.input, rank - 1)];
  const rest = medians(layer);
  const q = (share: number) => quantile(layer, input, share);
  const message: LayerMessage = {
    type: 'layer',
    step: at.step,
    firstStep: at.firstStep,
    path,
    rank,
    output,
    input,
    range,
    counts: coordinateCounts(layer, input).slice(),
    tokens,
    quantiles: [q(0.01), q(0.25), q(0.5), q(0.75), q(0.99)],
    ...(low && high && { extremes: [low[input], high[input]] }),
    medians: rest,
    H: layer.H.slice(),
    W: layer.W.slice(),
    basisCenters: spec?.learnable ? basisCenters(spec) : [],
  };
  if (!spec || !hasSigma(layer)) return message;
  const line = { output, input, rest };
  const curves = curvesAt(layer, spec, line, evenly(range, LARGE_POINTS));
  const { z, fixed, spline, sum } = curves;
  const before = sigmaAt(first, spec, line, z);
  const single = (values: Float64Array) => Float32Array.from(values);
  return {
    ...message,
    curves: {
      z: single(z),
      fixed: single(fixed),
      spline: single(spline),
      sum: single(sum),
      first: single(before),
    },
    shape: numbers(layer, first, spec, [line], input),
  };
}

/** The (example, token) ids stored for a bin. */
export function samplesOf(layer: LayerSnapshot, coordinate: number, bin: number): [number, number][] {
  const at = (coordinate * (layer.bins + 2) + bin) * SAMPLES_PER_BIN * 2;
  const ids = layer.samples.subarray(at, at + SAMPLES_PER_BIN * 2);
  return Array.from({ length: SAMPLES_PER_BIN }, (_, k): [number, number] => [
    ids[2 * k],
    ids[2 * k + 1],
  ]).filter(([example]) => example !== NO_SAMPLE && example !== undefined);
}

/** The edges of a bin; infinite for the open end bins. */
export function binEdges({ range, bins }: LayerSnapshot, bin: number): [number, number] {
  const edge = (i: number) =>
    i === 0 ? -Infinity : i === bins + 2 ? Infinity : range[0] + ((i - 1) * (range[1] - range[0])) / bins;
  return [edge(bin), edge(bin + 1)];
}
