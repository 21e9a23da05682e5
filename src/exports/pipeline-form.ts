import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readWeights, type StoredTensor } from '../architectures/folder/weight-files';
import { folderWeights, loadModelFrom } from '../architectures/load';
import { modelSource, type Pipeline, requireTextToImage } from '../architectures/model-source';
import { loadWithTextEncoders } from '../architectures/pipeline';
import { AuroraError } from '../base/errors';
import { writeAtomic } from '../files/atomic';
import { ownFile } from '../files/contained';
import { PIPELINE_INDEX } from '../files/model-path';
import { isFolder } from '../files/tree';
import { prepareModel } from '../graph/prepare';
import { baseModel } from '../peft/base-model';
import { type Component, componentOf } from '../peft/diffusers-lora-file';
import { measureTask } from '../training/measure';
import type { Task } from '../training/task/task';
import { copyIfBeside } from './base-files';
import type { Form } from './export-forms';
import { requireUnquantized } from './hub-form';
import { ChangedWeights, writeWeights } from './hub-weights';

/** A pipeline's folder with W₀ + ΔW for W₀ in the U-Net and the text encoders, as diffusers loads it. */
export const pipelineFolder = (pipeline: Pipeline): Form => ({
  check({ task }) {
    requireUnquantized(task);
    if (pipeline.unet.kind !== 'hub') throw inOnnx(pipeline.file);
  },

  write({ task, parameters }, folder) {
    const { file, folder: from } = pipeline;
    const changed = new ChangedWeights(task, parameters, placesIn(pipeline, task));
    const index = indexOf(from);
    for (const name of componentsIn(index, from))
      writeComponent(join(from, name), join(folder, name), changed);
    for (const name of baseModel(file).license.files) copyIfBeside(from, name, folder);
    // It comes last: without it, nothing loads.
    writeAtomic(join(folder, PIPELINE_INDEX), `${JSON.stringify(present(index, from), null, 2)}\n`);
    const { rounding } = changed;
    return { rounding };
  },

  measure({ task }, folder, work) {
    const written = modelSource(folder);
    const loaded = task.spec.task.trainTextEncoder
      ? loadWithTextEncoders(requireTextToImage(written))
      : loadModelFrom(written, 'float32', join(work, 'weights'));
    const model = prepareModel(loaded);
    const read: Task = { ...task, model, adapters: [], graph: { ...task.graph, adapters: [] } };
    return measureTask(read, new Map(), work);
  },
});

/** The places of the trained graph's weights: in the U-Net's files, and in those of text encoders under their names. */
function placesIn({ unet, textEncoders }: Pipeline, { adapters }: Task): Map<string, StoredTensor> {
  const trained = new Set<Component>(adapters.map(({ layer }) => componentOf(layer.path).component));
  const parts = [
    { component: 'unet' as const, prefix: '', model: unet },
    ...textEncoders.map(({ name, model }) => ({ component: name, prefix: `${name}.`, model })),
  ];
  return new Map(
    parts
      .filter(({ component }) => trained.has(component))
      .flatMap(({ prefix, model }) =>
        [...folderWeights(model.file).places].map(([name, stored]) => [prefix + name, stored] as const),
      ),
  );
}

type Index = Record<string, unknown>;

const indexOf = (from: string): Index =>
  JSON.parse(readFileSync(join(from, PIPELINE_INDEX), 'utf8')) as Index;

/** An entry names a library and a class there. */
const isComponent = (value: unknown): boolean => Array.isArray(value) && typeof value[0] === 'string';

const componentsIn = (index: Index, from: string): string[] =>
  Object.keys(index).filter((name) => isComponent(index[name]) && isFolder(join(from, name)));

/** The index without components that are not in the folder, such as a safety checker that was not downloaded. */
function present(index: Index, from: string): Index {
  const there = componentsIn(index, from);
  const isLeft = (name: string) => isComponent(index[name]) && !there.includes(name);
  const entries = Object.entries(index).map(([name, value]) => [name, isLeft(name) ? [null, null] : value]);
  const checker = isLeft('safety_checker') ? [['requires_safety_checker', false]] : [];
  return Object.fromEntries([...entries, ...checker]) as Index;
}

/** The name without the suffix of the half-precision variant, which diffusers reads only on request. */
const plain = (name: string): string => name.replace('.fp16', '');

/** Its settings and vocabulary, and its weights in one precision. */
function writeComponent(from: string, to: string, changed: ChangedWeights): void {
  mkdirSync(to);
  const names = readdirSync(from);
  if (names.some((name) => name.endsWith('.safetensors') && ownFile(from, name) !== undefined)) {
    const { shards, index } = readWeights(from);
    const renamed = new Map([...shards].map(([name, path]) => [plain(name), path]));
    const weights = { shards: renamed, prefix: '', index: index === undefined ? undefined : plain(index) };
    writeWeights(to, weights, changed, () => false);
  }
  const small = names.filter(
    (name) => /\.(json|txt|model)$/.test(name) && !/\.index(\.\w+)?\.json$/.test(name),
  );
  for (const name of small) copyIfBeside(from, name, to);
}

const inOnnx = (path: string): AuroraError =>
  new AuroraError(
    'usage',
    `${path} is a pipeline of ONNX files, and --as safetensors writes one of diffusers with other weights.`,
    'Export with --as onnx-merged.',
  );
