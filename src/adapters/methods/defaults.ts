import type { AuroraSpec } from '../../experiment/methods';

/** AuroRA as trained in the paper, and an experiment's default (the schema's defaults). */
export const AURORA_DEFAULTS: Omit<AuroraSpec, 'targetModules'> = {
  method: 'aurora',
  rank: 2,
  alpha: 4,
  gridSize: 5,
  splineOrder: 3,
  gridRange: [-1, 1],
  activation: 'tanh',
  fixed: true,
  learnable: true,
  centerInputs: false,
  dropout: 0,
  initialization: 'kaiming-uniform',
  splineInitialization: 'uniform',
};
