import type { FullSpec } from '../../experiment/methods';
import type { AdapterMethod } from './method';

/** Full fine-tuning of the chosen layers' weights, without their biases: the baseline for every adapter. */
export const full: AdapterMethod<FullSpec> = {
  tensors: ({ layer: { inFeatures, outFeatures } }) => [
    {
      name: 'trainedWeight',
      dims: [outFeatures, inFeatures],
      rankAxes: [],
      peftName: 'trained_weight',
      init: (_, __, base) => base.weight(),
    },
  ],
  weight: 'trainedWeight',

  change: ({ trainedWeight }, _, base) => {
    const before = base.weight();
    return { weight: Float64Array.from(trainedWeight, (v, i) => v - before[i]) };
  },
  neutral: (_, __, base) => ({ trainedWeight: base.weight() }),
  // In the forward pass it replaces the frozen weight, which would also pass the gradient on.
  flops: ({ layer: { inFeatures, outFeatures } }) => ({ forward: 0, backward: 2 * inFeatures * outFeatures }),
  formula: () => 'in · out',

  peft: { type: 'FULL', write: () => ({}), read: () => ({ method: 'full' }) },
};
