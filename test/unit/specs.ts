import type { AuroraSpec, LoraSpec } from '../../src/shared/experiment';

const common = { targetModules: ['query', 'value'], dropout: 0, initialization: 'kaiming-uniform' } as const;

/** The schema's defaults with the paper's rank. */
export const auroraSpec = (over: Partial<AuroraSpec> = {}): AuroraSpec => ({
  ...common,
  targetModules: [...common.targetModules],
  method: 'aurora',
  rank: 2,
  alpha: 4,
  gridSize: 5,
  splineOrder: 3,
  gridRange: [-1, 1],
  activation: 'tanh',
  fixed: true,
  learnable: true,
  ...over,
});

export const loraSpec = (over: Partial<LoraSpec> = {}): LoraSpec => ({
  ...common,
  targetModules: [...common.targetModules],
  method: 'lora',
  rank: 8,
  alpha: 16,
  useRslora: false,
  ...over,
});
