import type { BitfitSpec } from '../../experiment/methods';
import type { AdapterMethod } from './method';

/**
 * BitFit (Ben Zaken et al., arXiv 2106.10199) on the chosen layers: trains only their biases. The paper also trains
 * those of the layer norms, which are not linear layers and stay frozen here.
 */
export const bitfit: AdapterMethod<BitfitSpec> = {
  tensors: ({ layer: { outFeatures } }) => [
    {
      name: 'trainedBias',
      dims: [outFeatures],
      rankAxes: [],
      peftName: 'trained_bias',
      init: (_, __, base) => base.bias(),
    },
  ],
  frozen: ({ layer: { outFeatures } }) => [
    { name: 'before', dims: [outFeatures], values: (base) => base.bias() },
  ],

  delta: (g, _, p) => ({ delta: g.op('Sub', [p.trainedBias, p.before]) }),

  change: ({ trainedBias }, _, base) => {
    const before = base.bias();
    return { bias: Float64Array.from(trainedBias, (v, i) => v - before[i]) };
  },
  changesBias: () => true,
  neutral: (_, __, base) => ({ trainedBias: base.bias() }),
  flops: ({ layer: { outFeatures } }) => ({ forward: outFeatures, backward: outFeatures }),
  formula: () => 'out',

  peft: { type: 'BITFIT', write: () => ({}), read: () => ({ method: 'bitfit' }) },
};
