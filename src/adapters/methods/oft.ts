import { AuroraError } from '../../base/errors';
import type { OftSpec } from '../../experiment/methods';
import type { GraphBuilder } from '../../graph/builder';
import {
  layerText,
  type AdapterMethod,
  type LayerShape,
  type NamedAdapter,
  type OnLayer,
  zeros,
} from './method';
import {
  cayley,
  CAYLEY_PRODUCTS,
  cayleyOf,
  divisors,
  identity,
  squareProduct,
  timesBlocks,
  transposedBlock,
  turnRows,
} from './rotations';

/**
 * OFT (Qiu et al., arXiv 2306.07280; with the Neumann series: OFTv2, Qiu et al., arXiv 2506.19847): h = W (x R) + b, with a
 * block-diagonal orthogonal R, one block for all with `blockShare`. A block is the Cayley transform (1 − S)(1 + S)⁻¹ of a
 * skew-symmetric S, whose upper triangle is trained and starts at 0; with `useCayleyNeumann` it is the series 1 + 2S + 2S² + … +
 * 2S^(N−2) + S^(N−1) of N terms, where 3 terms give the same as 4. `coft` (constrained OFT) scales each S of a Frobenius norm
 * above eps / √blocks to that norm, in the trained values themselves. As in tuners/oft/layer.py of PEFT, without
 * module_dropout: a size that does not divide the layer's inputs becomes the nearest that does.
 */
export const oft: AdapterMethod<OftSpec> = {
  tensors(on) {
    const { size, count } = blocksOf(on);
    return [
      {
        name: 'R',
        dims: [count, (size * (size - 1)) / 2],
        rankAxes: [],
        peftName: 'oft_R.weight',
        init: zeros,
      },
    ];
  },

  delta(g, { x, product }, p, on, dtype) {
    const { size, count } = blocksOf(on);
    const { spec } = on;
    const limited = spec.coft ? withinLimit(g, p.R, on, dtype) : { values: p.R, stop: [] };
    const S = skew(g, limited.values, count, size);
    const { turn, stop } = spec.useCayleyNeumann
      ? { turn: series(g, S, termsOf(spec), size, dtype), stop: [] }
      : cayley(g, S, size, dtype);
    return {
      delta: product(timesBlocks(g, x, turn, count, size)),
      stop: [...limited.stop, ...stop],
    };
  },

  course(all) {
    const constrained = all.filter(({ on }) => on.spec.coft);
    if (constrained.length === 0) return undefined;
    const project = (parameters: ReadonlyMap<string, Float32Array>) =>
      constrained.forEach((adapter) => scaleToLimit(adapter, parameters));
    return {
      begin: project,
      stepped(_, parameters) {
        project(parameters);
        return undefined;
      },
    };
  },

  change({ R }, on, base) {
    const { size, count } = blocksOf(on);
    const blocks = Array.from({ length: count }, (_, k) =>
      transposedBlock(turnOf(trianglesOf(R, on, k), on.spec, size), size),
    );
    const before = base.weight();
    const weight = Float64Array.from(before);
    turnRows(weight, blocks, size, on.layer.inFeatures);
    return { weight: weight.map((v, i) => v - before[i]) };
  },
  neutral: ({ R }) => ({ R: new Float32Array(R.length) }),
  sizes: (layers) => commonSizes(layers),
  flops(on) {
    const { size, count } = blocksOf(on);
    const { inFeatures, outFeatures } = on.layer;
    const products = inFeatures * (size + outFeatures);
    const made = on.spec.useCayleyNeumann ? Math.max(0, termsOf(on.spec) - 2) : CAYLEY_PRODUCTS;
    return {
      forward: 2 * products,
      // The frozen weight gets no gradient.
      backward: 2 * inFeatures * (2 * size + outFeatures),
      step: 6 * made * count * size ** 3,
    };
  },
  formula: ({ blockShare }) => (blockShare ? 'b(b − 1) / 2' : 'in(b − 1) / 2'),

  peft: {
    type: 'OFT',
    loads: { since: '0.18', linearOnly: true },
    lacks: ['rank_pattern', 'alpha_pattern'],
    write: (spec) => ({
      block_share: spec.blockShare,
      coft: spec.coft,
      eps: spec.eps,
      fan_in_fan_out: false,
      init_weights: true,
      layers_pattern: null,
      layers_to_transform: null,
      module_dropout: 0,
      num_cayley_neumann_terms: spec.numCayleyNeumannTerms,
      oft_block_size: spec.blockNum === undefined ? spec.blockSize : 0,
      r: spec.blockNum ?? 0,
      use_cayley_neumann: spec.useCayleyNeumann,
    }),
    read(c) {
      const blocks = c.number('r', 0);
      return {
        method: 'oft',
        blockSize: c.number('oft_block_size', 32) || 32,
        ...(blocks !== 0 && { blockNum: blocks }),
        blockShare: c.flag('block_share', false),
        coft: c.flag('coft', false),
        eps: c.number('eps', 6e-5),
        useCayleyNeumann: c.flag('use_cayley_neumann', true),
        numCayleyNeumannTerms: c.number('num_cayley_neumann_terms', 5),
      };
    },
  },
};

/** The trained blocks of a layer, after the adjustment of a size that does not divide its inputs. */
function blocksOf({ layer, spec }: OnLayer<OftSpec>): { size: number; count: number } {
  const { inFeatures } = layer;
  const size =
    spec.blockNum === undefined
      ? nearestDivisor(inFeatures, spec.blockSize)
      : inFeatures / nearestDivisor(inFeatures, spec.blockNum);
  if (size < 2)
    throw new AuroraError(
      'rank',
      `${spec.blockNum === undefined ? `adapter.blockSize ${spec.blockSize}` : `adapter.blockNum ${spec.blockNum}`} leaves blocks of one input in ${layerText(layer)}, which cannot turn.`,
      'Choose a block size that divides the number of its inputs, or leave the layer out with adapter.excludeModules.',
    );
  return { size, count: spec.blockShare ? 1 : inFeatures / size };
}

/** PEFT's adjustment: the nearest divisor, the smaller one of two. */
export function nearestDivisor(n: number, wanted: number): number {
  if (wanted >= n) return n;
  const all = divisors(n);
  const lower = all.filter((d) => d <= wanted).at(-1)!;
  const higher = all.find((d) => d >= wanted)!;
  return wanted - lower <= higher - wanted ? lower : higher;
}

function commonSizes(layers: readonly LayerShape[]): number[] {
  const common = divisors(Math.min(...layers.map((l) => l.inFeatures))).filter(
    (d) => d > 1 && layers.every((l) => l.inFeatures % d === 0),
  );
  return common.length > 0 ? common : [2];
}

/** 3 terms are those of 4, as PEFT adds them up. */
const termsOf = ({ numCayleyNeumannTerms: terms }: OftSpec): number => (terms === 3 ? 4 : terms);

/** S (n, b, b) from its upper triangles (n, b(b − 1) / 2), row by row. */
function skew(g: GraphBuilder, values: string, count: number, size: number): string {
  const above = (size * (size - 1)) / 2;
  // The places of the triangle, its negatives after them, and of a zero after those.
  const places = Array.from({ length: size * size }, (_, at) => {
    const [i, j] = [Math.floor(at / size), at % size];
    if (i === j) return 2 * above;
    return i < j ? place(i, j, size) : above + place(j, i, size);
  });
  const none = g.op('Sub', [
    g.op('Slice', [values, g.ints([0]), g.ints([1]), g.ints([1])]),
    g.op('Slice', [values, g.ints([0]), g.ints([1]), g.ints([1])]),
  ]);
  const all = g.op('Concat', [values, g.op('Neg', [values]), none], { axis: 1 });
  return g.op('Reshape', [g.op('Gather', [all, g.ints(places)], { axis: 1 }), g.ints([count, size, size])]);
}

/** The place of (i, j), i < j, in the upper triangle. */
const place = (i: number, j: number, size: number): number => i * size - (i * (i + 1)) / 2 + j - i - 1;

/** 2S + 2S² + … + 2S^(N−2) + S^(N−1) by Horner's rule. */
function series(g: GraphBuilder, S: string, terms: number, size: number, dtype: number): string {
  const twice = g.op('Mul', [S, g.scalar(2, dtype)]);
  if (terms === 1) return g.op('Sub', [S, S]);
  if (terms === 2) return twice;
  const two = identity(g, size, dtype, 2);
  let inner = g.op('Add', [two, S]);
  for (let k = 3; k < terms; k++) inner = g.op('Add', [two, g.op('MatMul', [S, inner])]);
  return g.op('MatMul', [S, inner]);
}

/** R − 1 of one block, from its upper triangle. */
function turnOf(triangle: Float64Array, spec: OftSpec, size: number): Float64Array {
  const S = new Float64Array(size * size);
  for (let i = 0; i < size; i++)
    for (let j = i + 1; j < size; j++) {
      const value = triangle[place(i, j, size)];
      S[i * size + j] = value;
      S[j * size + i] = -value;
    }
  if (!spec.useCayleyNeumann) return cayleyOf(S, size);
  const terms = termsOf(spec);
  if (terms === 1) return new Float64Array(size * size);
  if (terms === 2) return S.map((v) => 2 * v);
  const plusTwo = (M: Float64Array) => M.map((v, i) => (i % (size + 1) === 0 ? v + 2 : v));
  let inner = plusTwo(S);
  for (let k = 3; k < terms; k++) inner = plusTwo(squareProduct(S, inner, size));
  return squareProduct(S, inner, size);
}

/** The largest Frobenius norm of a block's upper triangle, which is 1/√2 of that of S. */
const limitOf = (on: OnLayer<OftSpec>): number => on.spec.eps / Math.sqrt(2 * blocksOf(on).count);

/** Above the rounding of scaled numbers to float32: a resumed run scales them again, and must begin with the same bits. */
const ROUNDING = 2 ** -23;

/** The k-th block's trained numbers, within the limit of constrained OFT. */
function trianglesOf(R: Float32Array, on: OnLayer<OftSpec>, k: number): Float64Array {
  const each = R.length / blocksOf(on).count;
  const own = Float64Array.from(R.subarray(k * each, (k + 1) * each));
  const norm = Math.hypot(...own);
  const limit = limitOf(on);
  return on.spec.coft && norm > limit * (1 + ROUNDING) ? own.map((v) => (v * limit) / norm) : own;
}

function scaleToLimit(
  { on, names }: NamedAdapter<OftSpec>,
  parameters: ReadonlyMap<string, Float32Array>,
): void {
  const R = parameters.get(names.R)!;
  const { count } = blocksOf(on);
  const each = R.length / count;
  for (let k = 0; k < count; k++) R.set(trianglesOf(R, on, k), k * each);
}

/**
 * Values beyond the limit, such as those of an imported adapter, scaled to it. During a training all are within it, and PEFT's
 * gradients do not pass through the scaling.
 */
function withinLimit(
  g: GraphBuilder,
  R: string,
  on: OnLayer<OftSpec>,
  dtype: number,
): { values: string; stop: string[] } {
  const limit = g.scalar(limitOf(on), dtype);
  const norm = g.op('Sqrt', [g.op('ReduceSum', [g.op('Mul', [R, R]), g.ints([1])], { keepdims: 1 })]);
  const factor = g.op('Div', [limit, g.op('Max', [norm, limit])]);
  return { values: g.op('Mul', [R, factor]), stop: [factor] };
}
