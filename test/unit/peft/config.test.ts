import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { selectAdapters } from '../../../src/adapters/targets/select';
import { modelSource } from '../../../src/architectures/model-source';
import type { Experiment } from '../../../src/experiment/experiment';
import type { TrainedSpec } from '../../../src/experiment/methods';
import { peftConfig } from '../../../src/peft/adapter-config';
import { defaultAdapter } from '../../../src/recipes/draft';
import { readModel } from '../../../src/training/task/adapted-model';

const FIXTURES = join(import.meta.dirname, '../../fixtures');

describe('adapter_config.json', () => {
  const adapter = { ...defaultAdapter('lora'), targetModules: ['to_q'] } as TrainedSpec;
  const { model, layers } = readModel(modelSource(join(FIXTURES, 'diffusers/sdxl')));
  const { adapters } = selectAdapters(model.graph, layers, adapter, model.graph.outputs[0]!.name);
  // Exporters write the weights of a Linear as (in, out).
  const turned = adapters.map((a) => ({ ...a, layer: { ...a.layer, transposed: false } }));

  it.each([
    ['hf/gpt2', true],
    ['reference/bert.onnx', false],
    ['diffusers/sdxl-onnx', false],
  ])('takes weights of (in, out) for those of a Conv1D in a folder alone: %s', (path, isConv1d) => {
    const source = modelSource(join(FIXTURES, path));
    const spec = {
      adapter,
      model: { path: source.file },
      task: { type: 'causal-language-modeling', head: 'none' },
    } as Experiment;
    const fanInFanOut = (of: typeof adapters) =>
      peftConfig({ spec, source, adapters: of }, 'dynamic').fan_in_fan_out;
    expect([fanInFanOut(adapters), fanInFanOut(turned)]).toEqual([false, isConv1d]);
  });
});
