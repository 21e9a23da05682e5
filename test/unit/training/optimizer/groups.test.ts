import { describe, expect, it } from 'vitest';
import type { TrainableInfo } from '../../../../src/tasks/task-graph';
import type { TrainingSpec } from '../../../../src/experiment/experiment';
import { parameterGroups } from '../../../../src/training/optimizer/optimizer';

const trainable: TrainableInfo[] = [
  { name: 'layer.0.query.A', dims: [2, 8], part: 'adapter' },
  { name: 'layer.0.query.m', dims: [8], part: 'adapter' },
  { name: 'layer.0.query.B', dims: [8, 2], part: 'adapter' },
  { name: 'layer.0.query.loraBias', dims: [8], part: 'adapter' },
  { name: 'head.weight', dims: [3, 8], part: 'head' },
  { name: 'head.bias', dims: [3], part: 'head' },
];
const groups = (over: Partial<TrainingSpec>) =>
  parameterGroups(trainable, {
    learningRate: 1e-3,
    headLearningRate: 2e-3,
    weightDecay: 0.1,
    headWeightDecay: 0.2,
    decayBiases: true,
    ...over,
  } as TrainingSpec);

describe('optimizer groups', () => {
  it('give adapters and the head separate rates', () => {
    expect(groups({})).toEqual([
      {
        names: ['layer.0.query.A', 'layer.0.query.m', 'layer.0.query.B', 'layer.0.query.loraBias'],
        lr: 1e-3,
        weightDecay: 0.1,
      },
      { names: ['head.weight', 'head.bias'], lr: 2e-3, weightDecay: 0.2 },
    ]);
  });

  it('give only B and the bias after it a higher rate for LoRA+, and can exempt vectors from weight decay', () => {
    expect(groups({ loraPlusRatio: 16, decayBiases: false })).toEqual([
      { names: ['layer.0.query.A'], lr: 1e-3, weightDecay: 0.1 },
      { names: ['layer.0.query.m'], lr: 1e-3, weightDecay: 0 },
      { names: ['layer.0.query.B'], lr: 16e-3, weightDecay: 0.1 },
      { names: ['layer.0.query.loraBias'], lr: 16e-3, weightDecay: 0 },
      { names: ['head.weight'], lr: 2e-3, weightDecay: 0.2 },
      { names: ['head.bias'], lr: 2e-3, weightDecay: 0 },
    ]);
  });
});
