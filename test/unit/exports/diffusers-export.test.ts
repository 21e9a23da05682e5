import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { layerChange } from '../../../src/adapters/merge';
import { selectAdapters } from '../../../src/adapters/targets/select';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import type { TrainedSpec } from '../../../src/experiment/methods';
import { readSafetensors } from '../../../src/graph/file/safetensors';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import { prepareModel } from '../../../src/graph/prepare';
import { defaultAdapter } from '../../../src/recipes/draft';
import { FORMS } from '../../../src/exports/export-forms';
import type { Trained } from '../../../src/training/checkpoint/trained-run';
import { LORA_FILE, METADATA } from '../../../src/peft/diffusers-lora-file';
import { fitAdapter } from '../../../src/peft/fit';
import { readAdapterFolder } from '../../../src/peft/adapter-folder';
import { initialAdapters, perturbed } from '../../../src/training/task/initialize';
import { scratchFolder } from '../../scratch';

const folder = scratchFolder('diffusers-export');
const PIPELINE = resolve('test/fixtures/diffusers/sd');
const source = modelSource(PIPELINE);
const model = prepareModel(loadModelFrom(source));
const layers = findLinearLayers(model.graph);

const of = (over: Partial<TrainedSpec> & Pick<TrainedSpec, 'method'>) =>
  ({ ...defaultAdapter(over.method), targetModules: ['to_q', 'to_out.0'], ...over }) as TrainedSpec;

/** Adapters on the pipeline's U-Net that have learned something, as peft-lora writes them. */
function exported(name: string, spec: TrainedSpec) {
  const { adapters } = selectAdapters(model.graph, layers, spec, 'out_sample');
  const parameters = perturbed(initialAdapters(adapters, 3), 4);
  const task = { source, spec: { adapter: spec, model: { path: PIPELINE } }, adapters };
  const out = join(folder, name);
  mkdirSync(out);
  FORMS['peft-lora'].write({ task, parameters, form: 'dynamic' } as unknown as Trained, out, folder, {
    requantize: false,
    precision: 'float16',
  });
  return { out, adapters, parameters };
}

describe('a LoRA in diffusers’ layout', () => {
  it.each([
    ['lora', of({ method: 'lora', rank: 2, alpha: 6 })],
    ['rslora', of({ method: 'lora', rank: 4, alpha: 6, useRslora: true })],
    ['ranks', of({ method: 'lora', rank: 2, alpha: 4, rankPattern: { 'attn2.to_q': 4 } })],
    ['dora', of({ method: 'dora', rank: 2, alpha: 6 })],
    ['moslora', of({ method: 'moslora', rank: 2 })],
    ['aurora', of({ method: 'aurora', rank: 2, alpha: 4 })],
  ])(
    'changes each weight as the run’s adapters do in their static form, and can be imported: %s',
    (name, spec) => {
      const { out, adapters, parameters } = exported(name, spec);
      const read = fitAdapter(readAdapterFolder(out), model.graph, layers);
      expect(read.adapters.map((a) => a.layer.path).sort()).toEqual(adapters.map((a) => a.layer.path).sort());
      for (const adapter of adapters) {
        const twin = read.adapters.find((a) => a.layer.path === adapter.layer.path)!;
        const wanted = Float64Array.from(layerChange(adapter, parameters).weight!);
        const found = layerChange(twin, read.parameters).weight!;
        const largest = wanted.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
        expect(largest).toBeGreaterThan(0);
        const off = wanted.reduce((most, v, i) => Math.max(most, Math.abs(v - found[i])), 0);
        expect(off).toBeLessThan(1e-5 * largest);
      }
    },
  );

  it('has a scale of 1, so that versions that ignore the metadata compute the same', () => {
    const { out, adapters } = exported('scale', of({ method: 'aurora', rank: 2, alpha: 8 }));
    const { tensors, metadata } = readSafetensors(join(out, LORA_FILE));
    const paths = adapters.map((a) => a.layer.path);
    expect([...tensors.keys()].sort()).toEqual(
      paths.flatMap((path) => [`unet.${path}.lora_A.weight`, `unet.${path}.lora_B.weight`]).sort(),
    );
    expect(JSON.parse(metadata[METADATA])).toEqual({
      'unet.r': 2,
      'unet.lora_alpha': 2,
      'unet.rank_pattern': {},
      'unet.alpha_pattern': {},
      'unet.target_modules': paths,
      'unet.use_dora': false,
    });
  });

  it('is refused for a LoRA with a bias', () => {
    expect(() => exported('bias', of({ method: 'lora', loraBias: true }))).toThrow(
      /has a bias \(adapter\.loraBias\), which a LoRA in diffusers’ layout is written without/,
    );
  });

  it('gives each module its own rank as its alpha', () => {
    const { out } = exported('pattern', of({ method: 'lora', rank: 2, rankPattern: { 'attn2.to_q': 4 } }));
    const words = JSON.parse(readSafetensors(join(out, LORA_FILE)).metadata[METADATA]) as Record<
      string,
      object
    >;
    expect(words['unet.r']).toBe(4);
    expect(words['unet.alpha_pattern']).toEqual(words['unet.rank_pattern']);
    expect(Object.entries(words['unet.rank_pattern'])[0]).toEqual([
      expect.stringMatching(/^\^down_blocks\\\.0\\\./),
      2,
    ]);
  });
});
