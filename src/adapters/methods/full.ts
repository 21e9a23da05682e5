import type { FullSpec } from '../../experiment/experiment';
import type { AdapterMethod } from './method';

/** Full fine-tuning of the chosen layers' weights, without their biases: what every adapter is measured by. */
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
  // Forward it takes the frozen weight's place, and what is passed on backward is passed on by that as well.
  flops: ({ layer: { inFeatures, outFeatures } }) => ({ forward: 0, backward: 2 * inFeatures * outFeatures }),
  formula: () => 'in · out',

  peft: { type: 'FULL', write: () => ({}), read: () => ({ method: 'full' }) },
};
