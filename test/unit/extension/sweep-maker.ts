import type { SweepEntry } from '../../../src/extension/runs/store';

/** A sweep over the rank with four trials, the last of which has not started. */
export const sweepEntry = (state: SweepEntry['state']): SweepEntry => ({
  folder: '/w/.aurora/sweeps/demo/1a2b3c4d',
  experiment: '/w/demo.aurora.json',
  state,
  record: {
    version: 1,
    begun: 0,
    name: 'demo',
    overrides: [],
    spec: { type: 'grid', seed: 1, parameters: { 'adapter.rank': [1, 2, 4, 8] } },
    metric: 'accuracy',
    baseHash: '1a2b3c4d',
    varied: ['adapter.rank'],
    trials: [1, 2, 4, 8].map((rank, i) => ({
      id: `t${rank}`,
      number: i + 1,
      settings: { 'adapter.rank': rank },
      planned: true,
    })),
  },
});
