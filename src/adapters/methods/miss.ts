import { AuroraError } from '../../base/errors';
import type { MissSpec } from '../../experiment/methods';
import { layerText, type AdapterMethod, type OnLayer, zeros } from './method';
import { divisors } from './rotations';

/**
 * MiSS (Kang and Yin, arXiv 2409.15371): the sum of the layer's inputs over blocks of r, times one trained M (r, out) that starts
 * at 0: ΔW[o, i] = M[i mod r, o]. No scale. `mini`: M (r, miniR) repeats along the outputs. `bat`: M (out / r, r, r), and the
 * block (p, q) of ΔW is W[p, q] M[p] + M[p], which needs ΔW in every step. As in tuners/miss/layer.py of PEFT.
 */
export const miss: AdapterMethod<MissSpec> = {
  tensors: (on) => [{ name: 'M', dims: dimsOf(on), rankAxes: [], peftName: 'miss_block', init: zeros }],

  delta(g, { x, weight }, p, { layer, spec }) {
    const { inFeatures, outFeatures } = layer;
    const { rank, initWeights } = spec;
    if (initWeights === 'bat') {
      const W = g.op('Reshape', [weight(), g.ints([outFeatures / rank, -1, rank])]);
      const each = g.ints([outFeatures / rank, rank, inFeatures / rank, rank]);
      const turned = g.op('Reshape', [g.op('MatMul', [W, p.M]), each]);
      const change = g.op('Add', [turned, g.op('Unsqueeze', [p.M, g.ints([2])])]);
      const whole = g.op('Reshape', [change, g.ints([outFeatures, inFeatures])]);
      return { delta: g.op('MatMul', [x, g.op('Transpose', [whole])]) };
    }
    const repeats = spec.initWeights === 'mini' ? outFeatures / spec.miniR : 1;
    const M = repeats === 1 ? p.M : g.op('Tile', [p.M, g.ints([1, repeats])]);
    return { delta: g.op('MatMul', [g.op('MatMul', [x, p.folds]), M]) };
  },
  frozen: ({ layer: { inFeatures }, spec: { rank, initWeights } }) =>
    initWeights === 'bat'
      ? []
      : [
          {
            name: 'folds',
            dims: [inFeatures, rank],
            shared: `miss.folds ${inFeatures}x${rank}`,
            values: () =>
              Float32Array.from({ length: inFeatures * rank }, (_, at) =>
                Math.floor(at / rank) % rank === at % rank ? 1 : 0,
              ),
          },
        ],

  change({ M }, { layer, spec }, base) {
    const { inFeatures, outFeatures } = layer;
    const { rank, initWeights } = spec;
    const weight = new Float64Array(outFeatures * inFeatures);
    if (initWeights === 'bat') {
      const W = base.weight();
      for (let o = 0; o < outFeatures; o++)
        for (let i = 0; i < inFeatures; i++) {
          const own = Math.floor(o / rank) * rank * rank;
          const column = i % rank;
          let sum = M[own + (o % rank) * rank + column];
          for (let k = 0; k < rank; k++)
            sum += W[o * inFeatures + i - column + k] * M[own + k * rank + column];
          weight[o * inFeatures + i] = sum;
        }
      return { weight };
    }
    const width = M.length / rank;
    for (let o = 0; o < outFeatures; o++)
      for (let i = 0; i < inFeatures; i++) weight[o * inFeatures + i] = M[(i % rank) * width + (o % width)];
    return { weight };
  },
  neutral: ({ M }) => ({ M: new Float32Array(M.length) }),
  sizeLimit: () => Infinity,
  sizes(layers, { initWeights }) {
    const least = Math.min(...layers.flatMap((l) => [l.inFeatures, l.outFeatures]));
    if (initWeights !== 'bat')
      return Array.from({ length: Math.min(...layers.map((l) => l.inFeatures)) }, (_, i) => i + 1);
    return divisors(least).filter((d) =>
      layers.every((l) => l.inFeatures % d === 0 && l.outFeatures % d === 0),
    );
  },
  flops({ layer: { inFeatures, outFeatures }, spec: { rank, initWeights } }) {
    const weight = inFeatures * outFeatures;
    if (initWeights === 'bat')
      return { forward: 2 * weight, backward: 4 * weight, step: (4 * rank + 2) * weight };
    const products = 2 * rank * (inFeatures + outFeatures);
    // The matrix of ones that sums up blocks gets no gradient.
    return { forward: products, backward: products + 2 * rank * outFeatures };
  },
  formula: ({ initWeights }) => (initWeights === 'mini' ? 'r · mini r' : 'r · out'),

  peft: {
    type: 'MISS',
    loads: { since: '0.17', linearOnly: true },
    lacks: ['rank_pattern', 'alpha_pattern'],
    write: (spec) => ({
      init_weights: spec.initWeights === 'miss' ? true : spec.initWeights,
      layers_pattern: null,
      layers_to_transform: null,
      mini_r: spec.miniR,
      miss_dropout: spec.dropout,
    }),
    read(c) {
      const start = c.value('init_weights');
      return {
        method: 'miss',
        rank: c.number('r', 64),
        miniR: c.number('mini_r', 1),
        initWeights: start === 'bat' || start === 'mini' ? start : 'miss',
        dropout: c.number('miss_dropout', 0),
      };
    },
  },
};

/** @throws AuroraError 'rank' for sizes that do not divide the layer's */
function dimsOf({ layer, spec }: OnLayer<MissSpec>): number[] {
  const { inFeatures, outFeatures } = layer;
  const { rank, miniR, initWeights } = spec;
  if (initWeights === 'miss') return [rank, outFeatures];
  if (initWeights === 'mini') {
    if (outFeatures % miniR === 0) return [rank, miniR];
    throw new AuroraError(
      'rank',
      `adapter.miniR ${miniR} does not divide the ${outFeatures} outputs of ${layerText(layer)}.`,
      'Choose a divisor, or leave the layer out with adapter.excludeModules.',
    );
  }
  if (inFeatures % rank === 0 && outFeatures % rank === 0) return [outFeatures / rank, rank, rank];
  throw new AuroraError(
    'rank',
    `adapter.rank ${rank} does not divide both sizes of ${layerText(layer)}, as adapter.initWeights "bat" needs.`,
    'Choose a common divisor, or another value of adapter.initWeights.',
  );
}
