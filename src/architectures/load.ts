import { dirname, resolve } from 'node:path';
import { AuroraError } from '../base/errors';
import { isHubModel, modelFile } from '../files/model-path';
import { DType } from '../graph/dtype';
import { loadModel } from '../graph/file/load';
import { INTERNAL_IR_VERSION, INTERNAL_OPSET, type Model } from '../graph/model';
import { Network } from './blocks/network';
import { FAMILIES } from './families/registry';
import { readConfig } from './folder/config';
import { convertWeights } from './folder/converted';
import { readWeights } from './folder/weight-files';
import { Weights } from './folder/weights';

/**
 * A model from an ONNX file, or from a folder with config.json and safetensors as published on the Hugging Face hub; the
 * path is that of the folder or of its config.json. Weights stay in their files; those in other types than float32 are
 * converted into the user's cache folder.
 *
 * @throws AuroraError where it cannot be used
 */
export function loadModelAt(path: string): Model {
  if (!isHubModel(path)) return loadModel(path);
  const { model, weights } = modelOf(modelFile(resolve(path)));
  convertWeights(weights.toConvert());
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

function modelOf(path: string): { model: Model; weights: Weights } {
  const folder = dirname(path);
  const config = readConfig(path);
  const type = config.text('model_type');
  const family = FAMILIES.get(type);
  if (!family) throw config.unsupported('model_type', [...FAMILIES.keys()]);
  if (config.has('quantization_config'))
    throw new AuroraError(
      'model',
      `${config.path} has a quantization_config: the weights of this folder are quantized.`,
      'Download the model as it was before it was quantized.',
    );
  const weights = new Weights(readWeights(folder), folder, family.prefixes, family.marker);
  const net = new Network(weights);
  family.build(net, config);
  const model = {
    irVersion: INTERNAL_IR_VERSION,
    producer: 'aurora-lab',
    opsets: new Map([['', INTERNAL_OPSET]]),
    graph: net.graph,
    metadata: net.metadata,
  };
  return { model, weights };
}

/** The files that a folder's weights are in, and the index of several: with config.json, all that its model depends on. */
export const weightFilesOf = (path: string): string[] => readWeights(dirname(modelFile(resolve(path)))).files;
