import { dirname } from 'node:path';
import { DType } from '../graph/dtype';
import { loadModel } from '../graph/file/load';
import { isFileRef, type Model } from '../graph/model';
import { buildModel } from './build';
import type { Family } from './family';
import { convertWeights } from './folder/converted';
import { type StoredTensor, readWeights, type StoredWeights } from './folder/weight-files';
import type { ModelPart, ModelSource } from './model-source';
import { unetInputs } from './pipeline/onnx-inputs';
import { withTextSize } from './pipeline/text-size';

/**
 * The types of a model's weights. `float32`: those in other types are converted; `stored`: as they are; `structure`: for
 * those who only look at the graph, nothing is converted, and weights cannot be read.
 */
export type WeightForm = 'float32' | 'stored' | 'structure';

/**
 * A model from an ONNX file, or from a folder with config.json and safetensors as published on the Hugging Face hub. For a
 * pipeline it is the U-Net. Weights stay in their files; with `float32`, those in other types are converted into a folder.
 *
 * @param converted that folder; by default in the user's cache
 * @throws AuroraError where it cannot be used
 */
export function loadModelFrom(source: ModelSource, form: WeightForm = 'float32', converted?: string): Model {
  if (source.kind !== 'pipeline') return loadPart(source, form, undefined, converted);
  const { unet } = source;
  const model = loadPart(unet, form, undefined, converted);
  return withTextSize(unet.kind === 'hub' ? model : unetInputs(model, unet), source);
}

/** @param family of the part that is made of a folder, if not the whole model of its type */
export function loadPart(part: ModelPart, form: WeightForm, family?: Family, converted?: string): Model {
  if (part.kind === 'onnx') return loadModel(part.file);
  const { model, weights } = buildModel(part.file, family);
  if (form === 'structure') return model;
  const halves = weights.toConvert();
  // Weights of few bits are read in the same form, whatever that of the others.
  convertWeights([...weights.toUnpack(), ...(form === 'float32' ? halves : [])], converted);
  if (form === 'stored')
    for (const { tensor, from } of halves)
      tensor.dtype = from[0]!.dtype === 'BF16' ? DType.bfloat16 : DType.float16;
  return model;
}

/** The weights of a folder from the hub, as they are stored. */
export interface FolderWeights extends StoredWeights {
  /** `model_type` in config.json, or diffusers' `_class_name`. */
  type: string;
  /** The places of the graph's weights, by their names there. */
  places: ReadonlyMap<string, StoredTensor>;
  /** The prefix of the base model's names in these files. */
  prefix: string;
  /** The prefix of transformers' task models there. */
  taskPrefix: string;
}

/**
 * The weights of a folder.
 *
 * @param path of its config.json
 * @throws AuroraError where the folder cannot be used
 */
export function folderWeights(path: string): FolderWeights {
  const { weights, stored, type, taskPrefix } = buildModel(path);
  return { ...stored, type, places: weights.places(), prefix: weights.prefix, taskPrefix };
}

/** The files that a model's weights are in, and the index of several. */
export function weightFilesOf({ kind, file }: ModelPart): string[] {
  if (kind === 'hub') return readWeights(dirname(file)).files;
  const data = [...loadModel(file).graph.initializers.values()].map((t) => t.data);
  return [...new Set([file, ...data.flatMap((d) => (isFileRef(d) ? [d.path] : []))])];
}
