import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { selectAdapters } from '../../../src/adapters/targets/select';
import { readHeader } from '../../../src/architectures/folder/weight-files';
import { writeTensors } from '../../../src/architectures/folder/weights';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource, requireTextToImage } from '../../../src/architectures/model-source';
import { loadWithTextEncoders } from '../../../src/architectures/pipeline';
import type { TrainedSpec } from '../../../src/experiment/methods';
import { filesBelow } from '../../../src/files/tree';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import type { Model } from '../../../src/graph/model';
import { prepareModel } from '../../../src/graph/prepare';
import { toHalf } from '../../../src/graph/number-formats';
import { readFileRef, readTensorBytes } from '../../../src/graph/values';
import type { Written } from '../../../src/protocol/export';
import { defaultAdapter } from '../../../src/recipes/draft';
import type { Trained } from '../../../src/training/checkpoint/trained-run';
import { FORMS } from '../../../src/exports/export-forms';
import { mergedModel } from '../../../src/exports/merged';
import { initialAdapters, perturbed } from '../../../src/training/task/initialize';
import type { Task } from '../../../src/training/task/task';
import { scratchFolder } from '../../scratch';

const folder = scratchFolder('pipeline-export');
const FIXTURES = resolve('test/fixtures/diffusers');
const withTexts = (path: string) => loadWithTextEncoders(requireTextToImage(modelSource(path)));
const load = (path: string) => loadModelFrom(modelSource(path), 'float32', join(folder, 'converted'));

/** Exports adapters that have learned something. */
function exported(name: string, path: string, original: Model, targetModules: string[]) {
  const adapter = { ...defaultAdapter('aurora'), rank: 2, targetModules } as TrainedSpec;
  const model = prepareModel(original);
  const layers = findLinearLayers(model.graph);
  const { adapters } = selectAdapters(model.graph, layers, adapter, 'out_sample');
  const parameters = perturbed(initialAdapters(adapters, 3), 4);
  const task = {
    source: modelSource(path),
    spec: { adapter, model: { path }, task: {} },
    adapters,
    original,
    model,
  } as unknown as Task;
  const out = join(folder, name);
  mkdirSync(out);
  const trained = { task, parameters, form: 'dynamic' } as unknown as Trained;
  FORMS.safetensors.check!(trained);
  const written = FORMS.safetensors.write(trained, out, folder, {
    requantize: false,
    precision: 'float16',
  }) as Written;
  return { out, written, wanted: mergedModel(task, parameters) };
}

/** Expects the same weights in two graphs, and returns the names of those that differ from a third's. */
function changedFrom(before: Model, after: Model, wanted: Model): string[] {
  const bytes = (model: Model, name: string) =>
    Buffer.from(readTensorBytes(model.graph.initializers.get(name)!));
  const names = [...before.graph.initializers.keys()];
  expect(names.filter((name) => !bytes(after, name).equals(bytes(wanted, name)))).toEqual([]);
  return names.filter((name) => !bytes(after, name).equals(bytes(before, name)));
}

describe('a pipeline with adapters merged into it', () => {
  it.each(['sd', 'sdxl'])('has the merged U-Net, and everything else as it was: %s', (name) => {
    const path = join(FIXTURES, name);
    const { out, wanted } = exported(name, path, load(path), ['to_q', 'to_out.0']);
    const changed = changedFrom(load(path), load(out), wanted.model);
    expect(changed.length).toBe(wanted.changed.size);
    expect(changed.every((weight) => /\.to_(q|out\.0)\.weight$/.test(weight))).toBe(true);
    expect(filesBelow(out).sort()).toEqual(filesBelow(path).sort());
    for (const file of filesBelow(path).filter((f) => !f.startsWith('unet/') && f.endsWith('.json')))
      expect(JSON.parse(readFileSync(join(out, file), 'utf8'))).toEqual(
        JSON.parse(readFileSync(join(path, file), 'utf8')),
      );
  });

  it.each(['sd', 'sdxl'])('has its merged text encoders, too: %s', (name) => {
    const path = join(FIXTURES, name);
    const { out, wanted } = exported(`${name}-texts`, path, withTexts(path), ['to_v', 'q_proj', 'out_proj']);
    const changed = changedFrom(withTexts(path), withTexts(out), wanted.model);
    for (const encoder of requireTextToImage(modelSource(path)).textEncoders.map((e) => e.name))
      expect(changed.some((weight) => weight.startsWith(`${encoder}.text_model.`))).toBe(true);
    expect(changed.length).toBe(wanted.changed.size);
  });

  it('keeps the types of its weights and counts the rounding; files of a variant get the usual names', () => {
    const path = join(folder, 'half');
    cpSync(join(FIXTURES, 'sd'), path, { recursive: true });
    const stored = join(path, 'unet/diffusion_pytorch_model.safetensors');
    const variant = join(path, 'unet/diffusion_pytorch_model.fp16.safetensors');
    const half = [...readHeader(stored).values()].map((t) => ({
      ...t,
      dtype: 'F16',
      data: () => {
        const values = new Float32Array(Uint8Array.from(readFileRef(t.data)).buffer);
        return new Uint8Array(Uint16Array.from(values, toHalf).buffer);
      },
    }));
    writeTensors(variant, half);
    rmSync(stored);
    const { out, written } = exported('half-merged', path, load(path), ['to_q']);
    expect(written.rounding).toMatchObject({ type: 'F16' });
    const merged = readHeader(join(out, 'unet/diffusion_pytorch_model.safetensors'));
    expect([...merged.values()].every(({ dtype }) => dtype === 'F16')).toBe(true);
    expect(existsSync(join(out, 'unet/diffusion_pytorch_model.fp16.safetensors'))).toBe(false);
  });

  it('names no component that the folder does not have', () => {
    const path = join(folder, 'without');
    cpSync(join(FIXTURES, 'sd'), path, { recursive: true });
    const index = join(path, 'model_index.json');
    const before = JSON.parse(readFileSync(index, 'utf8')) as object;
    const checker = ['stable_diffusion', 'StableDiffusionSafetyChecker'];
    writeFileSync(index, JSON.stringify({ ...before, safety_checker: checker }));
    const { out } = exported('without-merged', path, load(path), ['to_q']);
    expect(JSON.parse(readFileSync(join(out, 'model_index.json'), 'utf8'))).toEqual({
      ...before,
      safety_checker: [null, null],
      requires_safety_checker: false,
    });
  });

  it('is refused for a pipeline of ONNX files', () => {
    const path = join(folder, 'onnx');
    cpSync(join(FIXTURES, 'sd'), path, { recursive: true });
    const original = load(path);
    renameSync(join(path, 'unet/diffusion_pytorch_model.safetensors'), join(path, 'unet/model.onnx'));
    expect(() => exported('onnx-merged', path, original, ['to_q'])).toThrow(/is a pipeline of ONNX files/);
  });
});
