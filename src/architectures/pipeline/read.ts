import { dirname, join, resolve } from 'node:path';
import { AuroraError } from '../../base/errors';
import { inputExists } from '../../files/inputs/open';
import { MODEL_CONFIG, modelFile } from '../../files/model-path';
import { readConfig, type Config } from '../folder/config';
import { hasWeights } from '../folder/weight-files';

export type PipelineClass = 'StableDiffusionPipeline' | 'StableDiffusionXLPipeline';

/** A component of a pipeline: a folder with config.json and safetensors, or an ONNX file. */
export interface TextEncoderPaths {
  name: 'text_encoder' | 'text_encoder_2';
  /** The path of its config.json, or of its ONNX file. */
  model: string;
  /** The path of the folder with vocab.json and merges.txt. */
  tokenizer: string;
}

export interface Vae {
  /** The path of its config.json or of an ONNX file: the same for both in a folder. */
  encoder: string;
  decoder: string;
  /** Latents are (z − shiftFactor) · scalingFactor where the U-Net reads them. */
  scalingFactor: number;
  shiftFactor: number;
  latentChannels: number;
  /** The height and width of a latent in pixels. */
  factor: number;
}

/** The contents of a pipeline's folder, by the paths of its components. */
export interface Pipeline {
  folder: string;
  class: PipelineClass;
  isXl: boolean;
  /** The path of its config.json, or of its ONNX file. */
  unet: string;
  vae: Vae;
  textEncoders: TextEncoderPaths[];
  /** The path of scheduler_config.json. */
  schedulerConfig: string;
  /** True if an empty negative prompt stands for zeros (SDXL). */
  forceZerosForEmptyPrompt: boolean;
  /** True if sizes are followed by an aesthetic score (SDXL's refiner). */
  requiresAestheticsScore: boolean;
}

const CLASSES: readonly PipelineClass[] = ['StableDiffusionPipeline', 'StableDiffusionXLPipeline'];
/** The class names of exports to ONNX. */
const EXPORTED = /^(?:ORT|Onnx)(?=StableDiffusion)/;

/**
 * Reads which components the folder of a diffusers pipeline has, in diffusers' layout or in that of Optimum's exports to
 * ONNX. The models themselves are not read.
 *
 * @param path of the folder, or of its model_index.json
 * @throws AuroraError 'model' for another class, or if a component is missing
 */
export function readPipeline(path: string): Pipeline {
  const index = modelFile(resolve(path));
  const folder = dirname(index);
  const config = readConfig(index);
  const name = config.text('_class_name').replace(EXPORTED, '');
  const found = CLASSES.find((c) => c === name);
  if (!found) throw config.unsupported('_class_name', CLASSES);
  const at = (part: string) => join(folder, part);
  const names = (['text_encoder', 'text_encoder_2'] as const).filter((part) => isThere(config, part));
  if (names.length === 0) throw missing(folder, 'text_encoder');
  return {
    folder,
    class: found,
    isXl: found === 'StableDiffusionXLPipeline',
    unet: component(folder, 'unet'),
    vae: vaeOf(folder),
    textEncoders: names.map((encoder) => ({
      name: encoder,
      model: component(folder, encoder),
      tokenizer: existing(folder, encoder.replace('text_encoder', 'tokenizer')),
    })),
    schedulerConfig: existing(folder, 'scheduler/scheduler_config.json'),
    forceZerosForEmptyPrompt: config.flag('force_zeros_for_empty_prompt', true),
    requiresAestheticsScore: config.flag('requires_aesthetics_score', false),
  };

  function isThere(settings: Config, part: string): boolean {
    return settings.isPair(part) && inputExists(at(part), 'model-data');
  }
}

/** The config.json of a folder with weights, or the ONNX file there. */
function component(folder: string, part: string): string {
  const config = join(folder, part, MODEL_CONFIG);
  if (inputExists(config, 'model-data') && hasWeights(dirname(config))) return config;
  const file = join(folder, part, ONNX);
  if (inputExists(file, 'model-data')) return file;
  if (inputExists(config, 'model-data')) return config;
  throw missing(folder, part);
}

const ONNX = 'model.onnx';

function vaeOf(folder: string): Vae {
  const exported = ['vae_encoder', 'vae_decoder'].map((part) => join(folder, part, ONNX));
  const isExported =
    !inputExists(join(folder, 'vae'), 'model-data') &&
    exported.every((file) => inputExists(file, 'model-data'));
  const [encoder, decoder] = isExported ? exported : [component(folder, 'vae'), component(folder, 'vae')];
  const config = readConfig(join(dirname(decoder), MODEL_CONFIG));
  for (const key of ['latents_mean', 'latents_std']) config.require(key, null);
  const levels = config.counts('block_out_channels', [64]).length;
  return {
    encoder,
    decoder,
    scalingFactor: config.number('scaling_factor', 0.18215),
    shiftFactor: config.any('shift_factor', 0),
    latentChannels: config.count('latent_channels', 4),
    factor: 2 ** (levels - 1),
  };
}

function existing(folder: string, part: string): string {
  const path = join(folder, part);
  if (!inputExists(path, 'model-data')) throw missing(folder, part);
  return path;
}

const missing = (folder: string, part: string): AuroraError =>
  new AuroraError(
    'model',
    `The pipeline ${folder} has no ${part}.`,
    'Download the whole repository, with all folders that its model_index.json names.',
  );
