import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  coordinateCounts,
  curvesAt,
  evenly,
  hasSigma,
  type Line,
  medians,
  outsideShare,
  quantile,
  shapeOf,
  sigmaAt,
  type Weights,
} from '../../../adapters/activations/curves';
import { type LayerShape, RANGE_SHARE } from '../../../adapters/activations/shape-words';
import { basisCenters, splineOffset } from '../../../adapters/methods/spline';
import { AuroraError } from '../../../base/errors';
import type { AuroraSpec } from '../../../experiment/methods';
import { readIfThere } from '../../../files/read';
import { type ActivationExamples, parseExamples } from '../../../protocol/activation-examples';
import {
  decodeSnapshot,
  type LayerSnapshot,
  NO_SAMPLE,
  SAMPLES_PER_BIN,
  type Snapshot,
} from '../../../protocol/activations';
import {
  CARD_CURVES,
  type LayerCard,
  type LayerMessage,
  type ShapeNumbers,
} from '../../../protocol/panels/activations';
import type { LayerNonlinearity } from '../../../protocol/nonlinearity';
import { runPaths, stepName, stepOfName } from '../../../runs/layout';

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

/** σ(z) ≈ M z + c: (r, r), row-major, and (r). */
export type LineFit = Pick<LayerNonlinearity, 'M' | 'c'>;

export function layerMessage(
  layer: LayerSnapshot,
  first: Weights,
  spec: AuroraSpec | undefined,
  at: { step: number; firstStep: number; output: number; input: number; fit?: LineFit },
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
    W: spec?.learnable ? weightsOf(layer, spec, output) : layer.W.slice(),
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
      ...(at.fit?.c.length === rank && { fitted: single(fittedLine(at.fit, line, z)) }),
    },
    shape: numbers(layer, first, spec, [line], input),
  };
}

/** W; with a spline per pair, only the rows of one output. */
function weightsOf({ W, rank }: LayerSnapshot, spec: AuroraSpec, output: number): Float32Array {
  if (spec.spline !== 'per-pair') return W.slice();
  const at = splineOffset(spec, rank, output, 0)!;
  return W.slice(at, at + W.length / rank);
}

/** Output i of M z + c as one coordinate of z varies. */
function fittedLine({ M, c }: LineFit, { output, input, rest }: Line, z: Float64Array): Float64Array {
  const row = M.slice(output * rest.length, (output + 1) * rest.length);
  const others = row.reduce((sum, m, j) => (j === input ? sum : sum + m * rest[j]), c[output]);
  return z.map((v) => others + row[input] * v);
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

/** Decoded snapshots cached in memory, so that playback reads each file once: 24 layers of rank 2 take 0.1 MB. */
const CACHE_BYTES = 48 * 2 ** 20;

/** The activation snapshots of one run, read without blocking. */
export class Snapshots {
  private readonly folder: string;
  /** Least recently used first. The key includes size and modification time, since a resumed run rewrites files. */
  private readonly cache = new Map<string, { snapshot: Snapshot; bytes: number }>();
  private examples?: ActivationExamples;

  constructor(run: string) {
    this.folder = runPaths(run).activations;
  }

  /** Steps that have a file, in order; empty if the folder does not exist yet. */
  async steps(): Promise<number[]> {
    const names = await readdir(this.folder).catch((e: NodeJS.ErrnoException) => {
      if (e.code === 'ENOENT') return [];
      throw e;
    });
    return names
      .filter((n) => n.endsWith('.bin'))
      .map((n) => stepOfName(n.slice(0, -'.bin'.length)))
      .filter((s) => s !== undefined)
      .sort((a, b) => a - b);
  }

  /** Throws an AuroraError (`run`) with the file's name if it cannot be read. */
  async read(step: number): Promise<{ key: string; snapshot: Snapshot }> {
    const file = join(this.folder, `${stepName(step)}.bin`);
    try {
      const { size, mtimeMs } = await stat(file);
      const key = `${step}:${size}:${mtimeMs}`;
      const known = this.cache.get(key);
      if (known) {
        this.cache.delete(key);
        this.cache.set(key, known);
        return { key, snapshot: known.snapshot };
      }
      const stored = await readIfThere(file);
      if (!stored) throw new Error('it was removed');
      const snapshot = decodeSnapshot(stored);
      this.cache.set(key, { snapshot, bytes: size });
      this.evict();
      return { key, snapshot };
    } catch (cause) {
      throw new AuroraError(
        'run',
        `${file} could not be read: ${(cause as Error).message}.`,
        'It was removed or damaged after it was written. Choose another snapshot.',
        { cause },
      );
    }
  }

  /** The examples that the ids refer to; undefined if the run does not store them. */
  async readExamples(): Promise<ActivationExamples | undefined> {
    if (this.examples) return this.examples;
    const bytes = await readIfThere(join(this.folder, 'examples.json')).catch(() => undefined);
    try {
      return (this.examples = bytes && parseExamples(JSON.parse(bytes.toString('utf8'))));
    } catch {
      return undefined;
    }
  }

  private evict(): void {
    let bytes = [...this.cache.values()].reduce((sum, c) => sum + c.bytes, 0);
    for (const [key, entry] of this.cache) {
      if (bytes <= CACHE_BYTES || this.cache.size <= 2) return;
      this.cache.delete(key);
      bytes -= entry.bytes;
    }
  }
}
