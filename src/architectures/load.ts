import { dirname, resolve } from 'node:path';
import { isHubModel, isPipeline, modelFile } from '../files/model-path';
import { DType } from '../graph/dtype';
import { loadModel } from '../graph/file/load';
import { isFileRef, type Model } from '../graph/model';
import { buildModel } from './build';
import type { Family } from './family';
import { convertWeights } from './folder/converted';
import type { StoredTensor } from './folder/header';
import { readWeights, type StoredWeights } from './folder/weight-files';
import { unetInputs } from './pipeline/onnx-inputs';
import { readPipeline } from './pipeline/read';
import { withTextSize } from './pipeline/text-size';

/**
 * The types of a model's weights. `float32`: those in other types are converted; `stored`: as they are; `structure`: for
 * those who only look at the graph, nothing is converted, and weights cannot be read.
 */
export type WeightForm = 'float32' | 'stored' | 'structure';

/**
 * A model from an ONNX file, or from a folder with config.json and safetensors as published on the Hugging Face hub;
 * the path is that of the folder or of its config.json. For a pipeline it is the U-Net. Weights stay in their files;
 * those in other types than float32 are converted into a folder.
 *
 * @param converted that folder; by default in the user's cache
 * @throws AuroraError where it cannot be used
 */
export const loadModelAt = (path: string, converted?: string): Model => openModel(path, 'float32', converted);

/** The model with the weights of a folder in the types in which they are stored: nothing is converted. */
export const loadUnconverted = (path: string): Model => openModel(path, 'stored');

/** The model for callers that only look at its structure: nothing is converted, and weights cannot be read. */
export const readStructure = (path: string): Model => openModel(path, 'structure');

export function openModel(path: string, form: WeightForm, converted?: string): Model {
  if (!isPipeline(path)) return openPart(path, form, undefined, converted);
  const pipeline = readPipeline(path);
  const model = openPart(pipeline.unet, form, undefined, converted);
  return withTextSize(isHubModel(pipeline.unet) ? model : unetInputs(model, pipeline.unet), pipeline);
}

/** @param part the part that is made of a folder, if not the whole model of its type */
export function openPart(path: string, form: WeightForm, part?: Family, converted?: string): Model {
  if (!isHubModel(path)) return loadModel(path);
  const { model, weights } = buildModel(modelFile(resolve(path)), part);
  if (form === 'float32') convertWeights(weights.toConvert(), converted);
  if (form === 'stored')
    for (const { tensor, stored } of weights.toConvert())
      tensor.dtype = stored.dtype === 'BF16' ? DType.bfloat16 : DType.float16;
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
 * The weights of a folder; for a pipeline those of its U-Net.
 *
 * @throws AuroraError where the folder cannot be used
 */
export function folderWeights(path: string): FolderWeights {
  const { weights, stored, type, taskPrefix } = buildModel(modelFileOf(path));
  return { ...stored, type, places: weights.places(), prefix: weights.prefix, taskPrefix };
}

/** The files that a folder's weights are in, and the index of several; of a pipeline those of its U-Net. */
export function weightFilesOf(path: string): string[] {
  const file = modelFileOf(path);
  if (isHubModel(file)) return readWeights(dirname(file)).files;
  const data = [...loadModel(file).graph.initializers.values()].map((t) => t.data);
  return [...new Set([file, ...data.flatMap((d) => (isFileRef(d) ? [d.path] : []))])];
}

/** The config.json of a folder, or of a pipeline's U-Net. */
const modelFileOf = (path: string): string =>
  modelFile(resolve(isPipeline(path) ? readPipeline(path).unet : path));
