import { AURORA_DEFAULTS } from '../../src/adapters/defaults';
import type { AuroraSpec, LoraSpec } from '../../src/shared/experiment';

const common = { targetModules: ['query', 'value'], dropout: 0, initialization: 'kaiming-uniform' } as const;

/** The schema's defaults with the paper's rank. */
export const auroraSpec = (over: Partial<AuroraSpec> = {}): AuroraSpec => ({
  ...AURORA_DEFAULTS,
  targetModules: [...common.targetModules],
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
