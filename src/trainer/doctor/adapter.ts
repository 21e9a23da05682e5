import type { AuroraSpec } from '../../shared/experiment';

/** What is trained where a step is timed, by the doctor and by the benchmarks: the paper's setting. */
export const TIMED_ADAPTER: AuroraSpec = {
  method: 'aurora',
  targetModules: ['query', 'value'],
  rank: 2,
  alpha: 4,
  gridSize: 5,
  splineOrder: 3,
  gridRange: [-1, 1],
  activation: 'tanh',
  fixed: true,
  learnable: true,
  dropout: 0,
  initialization: 'kaiming-uniform',
};
