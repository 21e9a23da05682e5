import { Stream, uniform } from '../../base/random';
import type { RandloraSpec } from '../../experiment/methods';
import type { GraphBuilder } from '../../graph/builder';
import { lowRankProduct } from './low-rank';
import { type AdapterMethod, constant, type LayerShape, type OnLayer, type Values, zeros } from './method';

const scaleOf = ({ alpha, rank }: RandloraSpec): number => alpha / rank;

/**
 * RandLoRA (Albert et al., arXiv 2502.00987): a full-rank sum of n = ⌈min(in, out) / r⌉ products of random matrices with
 * trained factors λ (r, n) and γ (n, min):
 *
 *   ΔW = s · B′ A′,   A′[(k, j), i] = λ[k, j] A[k, i] γ[j, i],   B′ = B[:, j, k] with its columns counted as (j, k),
 *
 * or its transpose if in > out, so that the factors are on the smaller side. A (r, 1, min) and B (max, n, r) are frozen
 * and the same for all layers; a layer smaller than the widest takes their first entries. The columns of B′ and the rows
 * of A′ are counted in different orders, as in tuners/randlora/layer.py of PEFT.
 *
 * The random numbers are not PyTorch's, so A and B are stored with the adapter, and an imported adapter keeps PEFT's.
 */
export const randlora: AdapterMethod<RandloraSpec> = {
  tensors(on) {
    const { rank } = on.spec;
    const { smaller, bases } = sizesOf(on.layer, rank);
    const shared = sizesOf(on.widest, rank);
    const frozen = (name: 'A' | 'B', dims: number[], which: number) => ({
      name,
      dims,
      frozen: true as const,
      rankAxes: [],
      peftName: `randlora_${name}`,
      outside: { key: () => `randlora_${name}`, where: 'beside' as const },
      init: (_: unknown, size: number) => projection(size, which, on.spec, shared.smaller),
    });
    return [
      { name: 'lambda', dims: [rank, bases], rankAxes: [], peftName: 'randlora_lambda', init: zeros },
      {
        name: 'gamma',
        dims: [bases, smaller],
        rankAxes: [],
        peftName: 'randlora_gamma',
        init: constant(1 / Math.max(bases, smaller)),
      },
      frozen('A', [rank, 1, shared.smaller], 1),
      frozen('B', [shared.larger, shared.bases, rank], 2),
    ];
  },
  shared: () => ({ A: '', B: '' }),

  delta(g, { x }, p, on, dtype) {
    const { inFeatures, outFeatures } = on.layer;
    const { scaled, random } = factors(g, p, on, p.scale ?? g.scalar(scaleOf(on.spec), dtype));
    const turned = (t: string) => g.op('Transpose', [t]);
    const [down, up] = inFeatures <= outFeatures ? [turned(scaled), turned(random)] : [random, scaled];
    return { delta: g.op('MatMul', [g.op('MatMul', [x, down]), up]) };
  },

  change(values, on) {
    const { inFeatures, outFeatures } = on.layer;
    const { scaled, random } = factorValues(values, on);
    const rows = scaled.length / Math.min(inFeatures, outFeatures);
    const [B, A] =
      inFeatures <= outFeatures
        ? [random, scaled]
        : [transposed(scaled, rows), transposed(random, inFeatures)];
    return { weight: lowRankProduct(B, A, on.layer, scaleOf(on.spec)) };
  },
  scale: scaleOf,
  neutral: (values) => ({ ...values, lambda: new Float32Array(values.lambda.length) }),
  // As in PEFT.
  sizeLimit: () => Infinity,
  /** The smallest rank for each number of matrices: larger ones with as many have only more parameters. */
  sizes(layers) {
    const ranks = new Set<number>();
    for (const smaller of new Set(layers.map((l) => Math.min(l.inFeatures, l.outFeatures))))
      for (let rank = 1; rank <= smaller; rank++)
        if (rank === Math.ceil(smaller / Math.ceil(smaller / rank))) ranks.add(rank);
    return [...ranks].sort((a, b) => a - b);
  },
  stated: ['sparse', 'verySparse', 'projectionSeed'],
  flops({ layer, spec: { rank } }) {
    const { inFeatures, outFeatures } = layer;
    const { smaller, bases } = sizesOf(layer, rank);
    const rows = rank * bases;
    const product = 2 * rows * (inFeatures + outFeatures);
    // Only the smaller factor is trained; it is built once, and its gradient passed on to λ and γ.
    return { forward: product, backward: product + 2 * rows * smaller, step: 8 * rows * smaller };
  },
  formula: () => 'n(r + min(in, out)), n = ⌈min(in, out) / r⌉',

  peft: {
    type: 'RANDLORA',
    loads: { since: '0.16' },
    lacks: ['alpha_pattern'],
    write: (spec) => ({
      fan_in_fan_out: false,
      init_weights: true,
      layers_pattern: null,
      layers_to_transform: null,
      projection_prng_key: spec.projectionSeed,
      randlora_alpha: spec.alpha,
      randlora_dropout: spec.dropout,
      save_projection: true,
      sparse: spec.sparse,
      very_sparse: spec.verySparse,
    }),
    read: (c) => ({
      method: 'randlora',
      rank: c.number('r'),
      alpha: c.number('randlora_alpha', 640),
      sparse: c.flag('sparse', false),
      verySparse: c.flag('very_sparse', false),
      projectionSeed: c.number('projection_prng_key', 0),
      dropout: c.number('randlora_dropout', 0),
    }),
  },
};

const sizesOf = ({ inFeatures, outFeatures }: LayerShape, rank: number) => {
  const smaller = Math.min(inFeatures, outFeatures);
  return { smaller, larger: Math.max(inFeatures, outFeatures), bases: Math.ceil(smaller / rank) };
};

/** A′ (r·n, min) under the scale, and B′ (max, r·n). */
function factors(
  g: GraphBuilder,
  p: Record<string, string>,
  { layer, spec: { rank }, widest }: OnLayer<RandloraSpec>,
  scale: string,
): { scaled: string; random: string } {
  const { smaller, larger, bases } = sizesOf(layer, rank);
  const shared = sizesOf(widest, rank);
  const first = (x: string, axis: number, size: number, of: number) =>
    size === of ? x : g.op('Slice', [x, g.ints([0]), g.ints([size]), g.ints([axis])]);
  const reshaped = (x: string, ...dims: number[]) => g.op('Reshape', [x, g.ints(dims)]);
  const A = first(p.A, 2, smaller, shared.smaller);
  const B = first(first(p.B, 0, larger, shared.larger), 1, bases, shared.bases);
  const lambda = reshaped(g.op('Mul', [p.lambda, scale]), rank, bases, 1);
  const scaled = g.op('Mul', [g.op('Mul', [lambda, A]), reshaped(p.gamma, 1, bases, smaller)]);
  return { scaled: reshaped(scaled, rank * bases, smaller), random: reshaped(B, larger, bases * rank) };
}

/** The values of both, without the scale. */
function factorValues(
  { A, B, lambda, gamma }: Values,
  { layer, spec: { rank }, widest }: OnLayer<RandloraSpec>,
): { scaled: Float32Array; random: Float32Array } {
  const { smaller, larger, bases } = sizesOf(layer, rank);
  const shared = sizesOf(widest, rank);
  const rows = rank * bases;
  const scaled = Float32Array.from({ length: rows * smaller }, (_, at) => {
    const [row, i] = [Math.floor(at / smaller), at % smaller];
    return lambda[row] * A[Math.floor(row / bases) * shared.smaller + i] * gamma[(row % bases) * smaller + i];
  });
  const random = Float32Array.from({ length: larger * rows }, (_, at) => {
    const [i, column] = [Math.floor(at / rows), at % rows];
    return B[i * shared.bases * rank + column];
  });
  return { scaled, random };
}

/** @param rows of the matrix */
function transposed(matrix: Float32Array, rows: number): Float32Array {
  const columns = matrix.length / rows;
  return matrix.map((_, at) => matrix[(at % rows) * columns + Math.floor(at / rows)]);
}

/**
 * Random numbers with the standard deviation 1: uniform, or −1, 0 and 1 at PEFT's shares.
 *
 * @param smaller the smaller size of the widest layer
 */
function projection(
  size: number,
  which: number,
  { projectionSeed, sparse, verySparse }: Pick<RandloraSpec, 'projectionSeed' | 'sparse' | 'verySparse'>,
  smaller: number,
): Float32Array {
  const share = verySparse ? 1 / (2 * Math.sqrt(smaller)) : sparse ? 1 / 6 : undefined;
  const values = Float32Array.from({ length: size }, (_, i) => {
    const u = uniform(projectionSeed, Stream.projections, which, i);
    if (share === undefined) return 2 * u - 1;
    return u < share ? -1 : u > 1 - share ? 1 : 0;
  });
  const mean = values.reduce((sum, v) => sum + v, 0) / size;
  const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (size - 1));
  return deviation > 0 ? values.map((v) => v / deviation) : values;
}
