import { AuroraError } from '../../base/errors';
import type { BoftSpec } from '../../experiment/methods';
import { constant, layerText, type AdapterMethod, type LayerShape, type OnLayer, zeros } from './method';
import {
  cayley,
  CAYLEY_PRODUCTS,
  cayleyOf,
  divisors,
  timesBlocks,
  transposedBlock,
  turnRows,
} from './rotations';

/**
 * BOFT (Liu et al., arXiv 2311.06243): W' = s ⊙ (W Mᵀ), with trained scales s (out) that start at 1 and M the product of
 * `nButterflyFactor` orthogonal matrices P_k diag(Q) P_kᵀ, the first one on the right. A block is the Cayley transform (1 − S)(1 +
 * S)⁻¹, S = (R − Rᵀ) / 2, of a trained R (b, b) that starts at 0. P_k puts the even pieces of b/2 inputs before the odd
 * ones, in each stretch of b · 2^k. The layer's bias is not scaled. As in tuners/boft/layer.py of PEFT, without boft_dropout.
 */
export const boft: AdapterMethod<BoftSpec> = {
  tensors(on) {
    const { size, count } = blocksOf(on);
    const { nButterflyFactor: factors } = on.spec;
    return [
      { name: 'R', dims: [factors, count, size, size], rankAxes: [], peftName: 'boft_R', init: zeros },
      { name: 's', dims: [on.layer.outFeatures, 1], rankAxes: [], peftName: 'boft_s', init: constant(1) },
    ];
  },

  delta(g, { x, product }, p, on, dtype) {
    const { size, count } = blocksOf(on);
    const { nButterflyFactor: factors } = on.spec;
    const all = g.op('Reshape', [p.R, g.ints([factors * count, size, size])]);
    const difference = g.op('Sub', [all, g.op('Transpose', [all], { perm: [0, 2, 1] })]);
    const S = g.op('Mul', [difference, g.scalar(0.5, dtype)]);
    const { turn, stop } = cayley(g, S, size, dtype);
    let turned = x;
    for (let k = factors - 1; k >= 0; k--) {
      const own =
        factors === 1
          ? turn
          : g.op('Slice', [turn, g.ints([k * count]), g.ints([(k + 1) * count]), g.ints([0])]);
      const order = orderOf(on, k);
      if (!order) {
        turned = g.op('Add', [turned, timesBlocks(g, turned, own, count, size)]);
        continue;
      }
      const sorted = g.op('Gather', [turned, g.ints(inverse(order))], { axis: -1 });
      const change = g.op('Gather', [timesBlocks(g, sorted, own, count, size), g.ints(order)], { axis: -1 });
      turned = g.op('Add', [turned, change]);
    }
    const scaled = g.op('Mul', [product(turned), g.op('Reshape', [p.s, g.ints([-1])])]);
    return { delta: g.op('Sub', [scaled, product()]), stop };
  },

  change({ R, s }, on, base) {
    const { size, count } = blocksOf(on);
    const { inFeatures } = on.layer;
    const before = base.weight();
    let weight = Float64Array.from(before);
    // W Mᵀ = W B_0ᵀ B_1ᵀ …, with B = P diag(Q) Pᵀ.
    for (let k = 0; k < on.spec.nButterflyFactor; k++) {
      const blocks = Array.from({ length: count }, (_, n) => {
        const at = (k * count + n) * size * size;
        const own = R.subarray(at, at + size * size);
        const S = Float64Array.from(own, (v, i) => (v - own[(i % size) * size + Math.floor(i / size)]) / 2);
        return transposedBlock(cayleyOf(S, size), size);
      });
      const order = orderOf(on, k);
      if (order) weight = columns(weight, inverse(order), inFeatures);
      turnRows(weight, blocks, size, inFeatures);
      if (order) weight = columns(weight, order, inFeatures);
    }
    return { weight: weight.map((v, i) => v * s[Math.floor(i / inFeatures)] - before[i]) };
  },
  neutral: ({ R, s }) => ({ R: new Float32Array(R.length), s: new Float32Array(s.length).fill(1) }),
  sizes: (layers, spec) => commonSizes(layers, spec),
  flops(on) {
    const { size, count } = blocksOf(on);
    const { inFeatures, outFeatures } = on.layer;
    const { nButterflyFactor: factors } = on.spec;
    return {
      forward: 2 * inFeatures * (factors * size + outFeatures) + factors * inFeatures + 3 * outFeatures,
      // The frozen weight gets no gradient.
      backward: 2 * inFeatures * (2 * factors * size + outFeatures) + factors * inFeatures + 4 * outFeatures,
      step: 6 * CAYLEY_PRODUCTS * factors * count * size ** 3,
    };
  },
  formula: ({ nButterflyFactor: m }) => (m === 1 ? 'in · b + out' : `${m} in · b + out`),

  peft: {
    type: 'BOFT',
    loads: { since: '0.11', linearOnly: true },
    lacks: ['rank_pattern', 'alpha_pattern'],
    write: (spec) => ({
      boft_block_num: spec.blockNum ?? 0,
      boft_block_size: spec.blockNum === undefined ? spec.blockSize : 0,
      boft_dropout: 0,
      boft_n_butterfly_factor: spec.nButterflyFactor,
      fan_in_fan_out: false,
      init_weights: true,
      layers_pattern: null,
      layers_to_transform: null,
    }),
    read(c) {
      const blocks = c.number('boft_block_num', 0);
      return {
        method: 'boft',
        blockSize: c.number('boft_block_size', 4) || 4,
        ...(blocks !== 0 && { blockNum: blocks }),
        nButterflyFactor: c.number('boft_n_butterfly_factor', 1),
      };
    },
  },
};

/** @throws AuroraError 'rank' for blocks that do not divide the layer's inputs, or not into whole stretches */
function blocksOf({ layer, spec }: OnLayer<BoftSpec>): { size: number; count: number } {
  const { inFeatures } = layer;
  const { blockSize, blockNum, nButterflyFactor } = spec;
  const [key, wanted] = blockNum === undefined ? ['blockSize', blockSize] : ['blockNum', blockNum];
  const size = blockNum === undefined ? blockSize : inFeatures / blockNum;
  if (!allows(inFeatures, size, nButterflyFactor))
    throw new AuroraError(
      'rank',
      `adapter.${key} ${wanted} does not fit ${layerText(layer)}: ${nButterflyFactor === 1 ? `it must divide its ${inFeatures} inputs` : `with adapter.nButterflyFactor ${nButterflyFactor}, blocks must be even, and ${2 ** (nButterflyFactor - 1)} of them must divide its ${inFeatures} inputs`}.`,
      'Choose another block size or factor, or leave the layer out with adapter.excludeModules.',
    );
  return { size, count: inFeatures / size };
}

const allows = (inFeatures: number, size: number, factors: number): boolean =>
  Number.isInteger(size) &&
  inFeatures % (size * 2 ** (factors - 1)) === 0 &&
  (factors === 1 || size % 2 === 0);

function commonSizes(layers: readonly LayerShape[], { nButterflyFactor }: BoftSpec): number[] {
  const least = Math.min(...layers.map((l) => l.inFeatures));
  const common = divisors(least).filter((d) =>
    layers.every((l) => allows(l.inFeatures, d, nButterflyFactor)),
  );
  return common.length > 0 ? common : [2];
}

/** The input at each place of x P_kᵀ; undefined for the identity. */
function orderOf(on: OnLayer<BoftSpec>, k: number): number[] | undefined {
  if (k === 0) return undefined;
  const { size } = blocksOf(on);
  const stretch = size * 2 ** k;
  const piece = size / 2;
  const pieces = stretch / piece;
  return Array.from({ length: on.layer.inFeatures }, (_, i) => {
    const start = Math.floor(i / stretch) * stretch;
    const nth = Math.floor((i - start) / piece);
    const from = nth < pieces / 2 ? 2 * nth : 2 * (nth - pieces / 2) + 1;
    return start + from * piece + (i % piece);
  });
}

function inverse(order: readonly number[]): number[] {
  const out = new Array<number>(order.length);
  order.forEach((from, at) => (out[from] = at));
  return out;
}

/** The columns of a matrix (…, in) in another order. */
const columns = (
  matrix: Float64Array,
  order: readonly number[],
  inFeatures: number,
): Float64Array<ArrayBuffer> =>
  Float64Array.from(matrix, (_, i) => matrix[i - (i % inFeatures) + order[i % inFeatures]]);
