import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { AuroraError } from '../base/errors';
import { isHubModel, modelFile } from '../files/model-path';
import { DType } from '../graph/dtype';
import { loadModel } from '../graph/file/load';
import { INTERNAL_IR_VERSION, INTERNAL_OPSET, type Model } from '../graph/model';
import { Network, TASK_PREFIX } from './blocks/network';
import { addHeads } from './heads/heads';
import { FAMILIES } from './families/registry';
import { readConfig } from './folder/config';
import { convertWeights } from './folder/converted';
import type { StoredTensor } from './folder/header';
import { readWeights, type StoredWeights } from './folder/weight-files';
import { typeKey, typeOf } from './folder/type';
import { Weights } from './folder/weights';

/**
 * A model from an ONNX file, or from a folder with config.json and safetensors as published on the Hugging Face hub; the
 * path is that of the folder or of its config.json. Weights stay in their files; those in other types than float32 are
 * converted into a folder.
 *
 * @param converted that folder; by default in the user's cache
 * @throws AuroraError where it cannot be used
 */
export function loadModelAt(path: string, converted?: string): Model {
  if (!isHubModel(path)) return loadModel(path);
  const { model, weights } = modelOf(modelFile(resolve(path)));
  convertWeights(weights.toConvert(), converted);
  return model;
}

/** The same with weights of a folder in the types in which they are stored: nothing is converted. */
export function loadUnconverted(path: string): Model {
  if (!isHubModel(path)) return loadModel(path);
  const { model, weights } = modelOf(modelFile(resolve(path)));
  for (const { tensor, stored } of weights.toConvert())
    tensor.dtype = stored.dtype === 'BF16' ? DType.bfloat16 : DType.float16;
  return model;
}

/** The same for those who only look at its structure: nothing is converted, and weights cannot be read. */
export const readStructure = (path: string): Model =>
  isHubModel(path) ? modelOf(modelFile(resolve(path))).model : loadModel(path);

/** The weights of a folder from the hub, as they are stored. */
export interface FolderWeights extends StoredWeights {
  /** `model_type` in config.json, or diffusers' `_class_name`. */
  type: string;
  /** Where the weights of the graph are, by their names there. */
  places: ReadonlyMap<string, StoredTensor>;
  /** What comes before the base model's names in these files. */
  prefix: string;
  /** What transformers' task models put there. */
  taskPrefix: string;
}

/** @throws AuroraError where the folder cannot be used */
export function folderWeights(path: string): FolderWeights {
  const { weights, stored, type, taskPrefix } = modelOf(modelFile(resolve(path)));
  return { ...stored, type, places: weights.places(), prefix: weights.prefix, taskPrefix };
}

/** Folders of an export have config.json, too. */
function besideOnnx(folder: string, error: AuroraError): AuroraError {
  const file = readdirSync(folder).find((name) => name.endsWith('.onnx'));
  if (file === undefined) return error;
  return new AuroraError(
    error.kind,
    error.message,
    `Use the ONNX file in the folder: ${join(folder, file)}.`,
  );
}

function modelOf(path: string) {
  const folder = dirname(path);
  const config = readConfig(path);
  const type = typeOf(config);
  const family = FAMILIES.get(type);
  if (!family) throw besideOnnx(folder, config.unsupported(typeKey(config), [...FAMILIES.keys()]));
  if (config.has('quantization_config'))
    throw new AuroraError(
      'model',
      `${config.path} has a quantization_config: the weights of this folder are quantized.`,
      'Download the model as it was before it was quantized.',
    );
  const stored = readWeights(folder);
  const weights = new Weights(stored, folder, family.prefixes, family.marker);
  const built = (cached: boolean): Model => {
    const net = new Network(weights, cached);
    config.whole((settings) => {
      settings.require('pruned_heads', {});
      // Layers that differ from the others, in any family from transformers 5.15 on.
      settings.require('per_layer_config', {});
      family.build(net, settings);
      if (!cached) addHeads(net, settings, type);
    });
    net.metadata.set(TASK_PREFIX, family.prefixes[0]);
    return {
      irVersion: INTERNAL_IR_VERSION,
      producer: 'aurora-lab',
      opsets: new Map([['', INTERNAL_OPSET]]),
      graph: net.graph,
      metadata: net.metadata,
    };
  };
  const model = built(false);
  if (family.caches) model.withCache = () => built(true);
  return { model, weights, stored, type, taskPrefix: family.prefixes[0] };
}

/** The files that a folder's weights are in, and the index of several. */
export const weightFilesOf = (path: string): string[] => readWeights(dirname(modelFile(resolve(path)))).files;
