import { mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { layerChange } from '../../../src/adapters/merge';
import { selectAdapters } from '../../../src/adapters/targets/select';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource, requireTextToImage } from '../../../src/architectures/model-source';
import { loadWithTextEncoders } from '../../../src/architectures/pipeline';
import type { TrainedSpec } from '../../../src/experiment/methods';
import { readSafetensors } from '../../../src/graph/file/safetensors';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import { prepareModel } from '../../../src/graph/prepare';
import { FORMS } from '../../../src/exports/export-forms';
import { kohyaFile } from '../../../src/exports/kohya-lora';
import { readAdapterFolder } from '../../../src/peft/adapter-folder';
import { fitAdapter } from '../../../src/peft/fit';
import { defaultAdapter } from '../../../src/recipes/draft';
import type { Trained } from '../../../src/training/checkpoint/trained-run';
import { initialAdapters, perturbed } from '../../../src/training/task/initialize';
import { scratchFolder } from '../../scratch';

const folder = scratchFolder('kohya-export');

const of = (over: Partial<TrainedSpec> & Pick<TrainedSpec, 'method'>) =>
  ({ ...defaultAdapter(over.method), targetModules: ['to_q', 'to_out.0'], ...over }) as TrainedSpec;

/** Adapters on a pipeline of the fixtures that have learned something, as `--as kohya` writes them. */
function exported(name: string, spec: TrainedSpec, pipeline = 'sd', withTexts = false) {
  const path = resolve('test/fixtures/diffusers', pipeline);
  const source = modelSource(path);
  const original = withTexts ? loadWithTextEncoders(requireTextToImage(source)) : loadModelFrom(source);
  const model = prepareModel(original);
  const layers = findLinearLayers(model.graph);
  const { adapters } = selectAdapters(model.graph, layers, spec, 'out_sample');
  const parameters = perturbed(initialAdapters(adapters, 3), 4);
  const task = {
    source,
    spec: {
      adapter: spec,
      model: { path },
      task: { instancePrompt: 'a photo of sks dog' },
      training: { seed: 7 },
    },
    adapters,
    layers,
    data: { resolution: 32 },
  };
  const run = { spec: { name: 'My dog: v2' } };
  const trained = { task, parameters, form: 'dynamic', run, step: 120 } as unknown as Trained;
  const out = join(folder, name);
  mkdirSync(out);
  FORMS.kohya.check!(trained);
  FORMS.kohya.write(trained, out, folder, { requantize: false, precision: 'float16' });
  const file = join(out, 'My-dog-v2.safetensors');
  return { out, file, adapters, parameters, graph: model.graph, layers, read: readSafetensors(file) };
}

describe('a LoRA in the layout of kohya’s scripts', () => {
  it.each([
    ['lora', of({ method: 'lora', rank: 2, alpha: 6 }), 'sd'],
    ['rslora', of({ method: 'lora', rank: 4, alpha: 6, useRslora: true }), 'sd'],
    ['ranks', of({ method: 'lora', rank: 2, alpha: 4, rankPattern: { 'attn2.to_q': 4 } }), 'sd'],
    ['moslora', of({ method: 'moslora', rank: 2 }), 'sd'],
    ['aurora', of({ method: 'aurora', rank: 2, alpha: 4 }), 'sd'],
    ['xl', of({ method: 'lora', rank: 2, alpha: 6 }), 'sdxl'],
    ['xl-texts', of({ method: 'lora', rank: 2, targetModules: ['to_v', 'q_proj', 'v_proj'] }), 'sdxl'],
  ] as const)(
    'changes each weight as the run’s adapters do in their static form, and can be imported: %s',
    (name, spec, pipeline) => {
      const { file, adapters, parameters, graph, layers } = exported(
        name,
        spec,
        pipeline,
        name === 'xl-texts',
      );
      const found = fitAdapter(readAdapterFolder(file), graph, layers);
      for (const adapter of adapters) {
        const twin = found.adapters.find((a) => a.layer.path === adapter.layer.path)!;
        const wanted = Float64Array.from(layerChange(adapter, parameters).weight!);
        const change = layerChange(twin, found.parameters).weight!;
        const largest = wanted.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
        expect(largest).toBeGreaterThan(0);
        const off = wanted.reduce((most, v, i) => Math.max(most, Math.abs(v - change[i]!)), 0);
        expect(off).toBeLessThan(1e-5 * largest);
      }
      const others = found.adapters.filter((a) => !adapters.some((own) => own.layer.path === a.layer.path));
      for (const a of others)
        expect(layerChange(a, found.parameters).weight!.every((v) => Object.is(v, 0))).toBe(true);
    },
  );

  it('has kohya’s names and shapes, an alpha for each module, and the metadata by which programs list it', () => {
    const { out, adapters, read } = exported('names', of({ method: 'lora', rank: 2, alpha: 8 }));
    expect(readdirSync(out)).toEqual(['My-dog-v2.safetensors']);
    const modules = adapters.map((a) => `lora_unet_${a.layer.path.replaceAll('.', '_')}`);
    expect([...read.tensors.keys()].sort()).toEqual(
      modules.flatMap((m) => [`${m}.alpha`, `${m}.lora_down.weight`, `${m}.lora_up.weight`]).sort(),
    );
    const { inFeatures, outFeatures } = adapters[0].layer;
    const dims = (part: string) => read.tensors.get(`${modules[0]}.${part}`)!.dims;
    expect([dims('lora_down.weight'), dims('lora_up.weight'), dims('alpha')]).toEqual([
      [2, inFeatures],
      [outFeatures, 2],
      [],
    ]);
    expect([...read.tensors.get(`${modules[0]}.alpha`)!.data]).toEqual([8]);
    expect(read.metadata).toEqual({
      format: 'pt',
      ss_output_name: 'My-dog-v2',
      ss_base_model_version: 'sd_v1',
      ss_v2: 'False',
      ss_network_module: 'networks.lora',
      ss_network_args: '{}',
      ss_network_dim: '2',
      ss_network_alpha: '8',
      ss_resolution: '(32, 32)',
      ss_steps: '120',
      ss_seed: '7',
      'modelspec.sai_model_spec': '1.0.1',
      'modelspec.architecture': 'stable-diffusion-v1/lora',
      'modelspec.implementation': 'diffusers',
      'modelspec.title': 'My dog: v2',
      'modelspec.resolution': '32x32',
      'modelspec.prediction_type': 'epsilon',
      'modelspec.trigger_phrase': 'a photo of sks dog',
    });
  });

  it('has SDXL’s original blocks, numbered text encoders, and all projections of an OpenCLIP attention', () => {
    const spec = of({ method: 'lora', rank: 2, targetModules: ['to_v', 'v_proj'], rankPattern: { to_v: 3 } });
    const { read, layers } = exported('sdxl', spec, 'sdxl', true);
    const modules = new Set([...read.tensors.keys()].map((key) => key.split('.')[0]));
    const some = (pattern: RegExp) => [...modules].filter((m) => pattern.test(m!)).length;
    expect(some(/^lora_unet_(input_blocks_\d+_1|middle_block_1|output_blocks_\d+_1)_.*_to_v$/)).toBe(
      some(/^lora_unet_/),
    );
    const inSecond = layers.filter(
      (l) => /^text_encoder_2\..*_proj$/.test(l.path) && l.path.includes('.self_attn.'),
    );
    expect(some(/^lora_te2_/)).toBe(inSecond.length);
    expect(some(/^lora_te1_/)).toBe(some(/^lora_te1_.*_v_proj$/));
    const key = [...read.tensors.keys()].find((k) => /^lora_te2_.*_k_proj\.lora_up\.weight$/.test(k))!;
    expect(read.tensors.get(key)!.data.every((v) => v === 0)).toBe(true);
    expect(read.metadata).toMatchObject({
      ss_base_model_version: 'sdxl_base_v1-0',
      ss_network_dim: 'Dynamic',
      'modelspec.architecture': 'stable-diffusion-xl-v1-base/lora',
    });
  });

  it.each([
    ['bias', of({ method: 'lora', loraBias: true }), /LoRA with lora_B\.bias, for which the layout/],
    ['dora', of({ method: 'dora' }), /DoRA with lora_magnitude_vector, for which the layout/],
    ['full', of({ method: 'full' }), /cannot be written as a LoRA/],
    [
      'fourierft',
      of({ method: 'fourierft', frequencies: 10 }),
      /FourierFT; that cannot be written as a LoRA/,
    ],
  ])('is refused for what it cannot hold, before anything is written: %s', (name, spec, message) => {
    expect(() => exported(`no-${name}`, spec)).toThrow(message);
    expect(readdirSync(join(folder, `no-${name}`))).toEqual([]);
  });

  it('is refused for layers without a name that all programs read', () => {
    const spec = of({ method: 'lora', targetModules: ['to_q', 'text_projection'] });
    expect(() => exported('projection', spec, 'sdxl', true)).toThrow(
      /adapted text_encoder_2\.text_projection, for which/,
    );
  });

  it('has the experiment’s name, without what prompts and file systems do not take', () => {
    expect(['dog', 'My dog: v2', '<a>', '../x', '…', 'adapter_model'].map(kohyaFile)).toEqual(
      ['dog', 'My-dog-v2', 'a', 'x', 'adapter', 'adapter_model-lora'].map((name) => `${name}.safetensors`),
    );
  });
});
