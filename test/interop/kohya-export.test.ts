import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { selectAdapters } from '../../src/adapters/targets/select';
import { modelSource } from '../../src/architectures/model-source';
import type { TrainedSpec } from '../../src/experiment/methods';
import { FORMS } from '../../src/exports/export-forms';
import { defaultAdapter } from '../../src/recipes/draft';
import type { Trained } from '../../src/training/checkpoint/trained-run';
import { readModel } from '../../src/training/task/adapted-model';
import { initialAdapters, perturbed } from '../../src/training/task/initialize';
import { scratchFolder } from '../scratch';
import { onPython, python } from './python';

const folder = scratchFolder('kohya-interop');

/** A pipeline of the fixtures, a LoRA on it in kohya's layout, and the pipeline with both merged. */
function job(name: string, adapter: TrainedSpec, trainTextEncoder: boolean) {
  const model = resolve('test/fixtures/diffusers', name);
  const spec = {
    adapter,
    model: { path: model },
    task: { trainTextEncoder },
    training: { seed: 1 },
  };
  const base = readModel(modelSource(model), spec as unknown as Parameters<typeof readModel>[1]);
  const { adapters } = selectAdapters(base.model.graph, base.layers, adapter, 'out_sample');
  const parameters = perturbed(initialAdapters(adapters, 1), 2);
  const task = { ...base, spec, adapters, data: { resolution: 32 } };
  const run = { spec: { name } };
  const trained = { task, parameters, form: 'dynamic', run, step: 1 } as unknown as Trained;
  const [lora, merged] = ['lora', 'merged'].map((part) => join(folder, `${name}-${adapter.method}-${part}`));
  for (const made of [lora!, merged!]) mkdirSync(made);
  FORMS.kohya.write(trained, lora!, folder, { requantize: false, precision: 'float16' });
  FORMS.safetensors.write(trained, merged!, folder, { requantize: false, precision: 'float16' });
  return { model, lora: join(lora!, `${name}.safetensors`), merged, count: adapters.length };
}

const spec = (method: TrainedSpec['method'], ...targetModules: string[]) =>
  ({ ...defaultAdapter(method), rank: 2, targetModules }) as TrainedSpec;
const UNET = ['to_q', 'to_k', 'to_v', 'to_out.0', 'ff.net.0.proj', 'ff.net.2', 'time_emb_proj'];

describe.runIf(onPython)('LoRA in the layout of kohya’s scripts', () => {
  it('changes in PyTorch the weights of the merged pipelines, by names found from the documents', () => {
    const jobs = [
      job('sd', spec('lora', ...UNET, 'q_proj', 'fc1'), true),
      job('sd', spec('aurora', ...UNET), false),
      job('sdxl', spec('lora', ...UNET, 'v_proj', 'out_proj'), true),
      job('sdxl', spec('aurora', ...UNET), false),
    ];
    expect(JSON.parse(python('kohya_side.py', [], jobs))).toEqual(
      jobs.map(({ model, count }) => ({
        version: model.endsWith('sdxl') ? 'sdxl_base_v1-0' : 'sd_v1',
        changed: count,
        unknown: [],
        wrong: [],
      })),
    );
  });
});
