import { AURORA_DEFAULTS } from '../../src/adapters/methods/aurora';
import type { OnLayer } from '../../src/adapters/methods/method';
import type { AuroraSpec, LoraSpec, TrainedSpec } from '../../src/experiment/methods';

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
  loraBias: false,
  ...over,
});

/** On the only layer. */
export function onLayer<S extends TrainedSpec>(spec: S, inFeatures: number, outFeatures: number): OnLayer<S> {
  const layer = { inFeatures, outFeatures };
  return { layer, spec, widest: layer };
}

/** The least that a spec.json of a run has. */
export const specText = (name: string): string =>
  JSON.stringify({
    name,
    model: { path: '/models/m.onnx' },
    data: { train: '/data/train.jsonl' },
    training: { metric: 'accuracy' },
  });
