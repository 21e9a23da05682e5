import type { FullSpec } from '../../experiment/methods';
import type { AdapterMethod, LayerShape } from './method';

/** A layer that is trained whole beside another method. */
export const wholeLayer = (path: string): FullSpec => ({
  method: 'full',
  trainBias: true,
  targetModules: [path],
});

/** Full fine-tuning of the chosen layers' weights, with `trainBias` of their biases too: the baseline for every adapter. */
export const full: AdapterMethod<FullSpec> = {
  tensors: ({ layer, spec }) => [
    {
      name: 'trainedWeight',
      dims: [layer.outFeatures, layer.inFeatures],
      rankAxes: [],
      peftName: 'trained_weight',
      init: (_, __, base) => base.weight(),
    },
    ...(hasTrainedBias(layer, spec)
      ? [
          {
            name: 'trainedBias',
            dims: [layer.outFeatures],
            rankAxes: [],
            peftName: 'trained_bias',
            init: (_: unknown, __: number, base: { bias(): Float32Array }) => base.bias(),
          },
        ]
      : []),
  ],
  frozen: ({ layer, spec }) =>
    hasTrainedBias(layer, spec)
      ? [{ name: 'before', dims: [layer.outFeatures], values: (base) => base.bias() }]
      : [],
  weight: 'trainedWeight',
  delta: (g, _, p) => (p.trainedBias ? { delta: g.op('Sub', [p.trainedBias, p.before]) } : undefined),

  change: ({ trainedWeight, trainedBias }, _, base) => ({
    weight: difference(trainedWeight, base.weight()),
    ...(trainedBias && { bias: difference(trainedBias, base.bias()) }),
  }),
  changesBias: (spec, layer) => hasTrainedBias(layer, spec),
  neutral: ({ trainedBias }, _, base) => ({
    trainedWeight: base.weight(),
    ...(trainedBias && { trainedBias: base.bias() }),
  }),
  // In the forward pass it replaces the frozen weight, which would also pass the gradient on.
  flops({ layer, spec }) {
    const added = hasTrainedBias(layer, spec) ? layer.outFeatures : 0;
    return { forward: added, backward: 2 * layer.inFeatures * layer.outFeatures + added };
  },
  formula: ({ trainBias }) => (trainBias ? 'in · out + out' : 'in · out'),

  peft: {
    type: 'FULL',
    write: ({ trainBias }) => (trainBias ? { train_bias: true } : {}),
    read: (c) => ({ method: 'full', trainBias: c.flag('train_bias', false) }),
  },
};

const hasTrainedBias = ({ hasBias }: LayerShape, { trainBias }: FullSpec): boolean =>
  trainBias && hasBias === true;

const difference = (after: Float32Array, before: Float32Array): Float64Array =>
  Float64Array.from(after, (v, i) => v - before[i]);
