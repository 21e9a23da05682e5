import { dirname, join, resolve } from 'node:path';
import { AuroraError } from '../base/errors';
import { inputExists } from '../files/inputs/open';
import { MODEL_CONFIG, modelFile, modelKind, type ModelKind } from '../files/model-path';
import { readConfig } from './folder/config';
import { hasWeights } from './folder/weight-files';

/** Where a model is read from. It is found once, with all parts of a pipeline, and carried with the model. */
export type ModelSource = ModelPart | Pipeline;

/** A single model: a whole one, or a part of a pipeline. */
export interface ModelPart {
  kind: Exclude<ModelKind, 'pipeline'>;
  /** The path of the ONNX file, or of the folder's config.json. */
  file: string;
}

/** The path of a model's config.json. Beside an ONNX file, there may be none. */
export const configOf = ({ file }: ModelPart): string => join(dirname(file), MODEL_CONFIG);

/** The folder of a diffusers pipeline. */
export interface Pipeline {
  kind: 'pipeline';
  /** The path of its model_index.json. */
  file: string;
  folder: string;
  /** True for Stable Diffusion XL. */
  isXl: boolean;
  unet: ModelPart;
  vae: Vae;
  textEncoders: TextEncoderSource[];
  /** The path of scheduler_config.json. */
  schedulerConfig: string;
  /** True if an empty negative prompt stands for zeros (SDXL). */
  forceZerosForEmptyPrompt: boolean;
  /** True if sizes are followed by an aesthetic score (SDXL's refiner). */
  requiresAestheticsScore: boolean;
}

export interface TextEncoderSource {
  name: 'text_encoder' | 'text_encoder_2';
  model: ModelPart;
  /** The path of the folder with vocab.json and merges.txt. */
  tokenizer: string;
}

export interface Vae {
  /** A folder has one model for both; in ONNX they are two files. */
  encoder: ModelPart;
  decoder: ModelPart;
  /** Latents are (z − shiftFactor) · scalingFactor where the U-Net reads them. */
  scalingFactor: number;
  shiftFactor: number;
  latentChannels: number;
  /** The height and width of a latent in pixels. */
  factor: number;
}

/**
 * Finds what a model's path stands for. Of a pipeline, reads which components it has; the models themselves are not read,
 * and a file that does not exist is left to their readers to report.
 *
 * @param path an ONNX file, a folder from the hub or of a pipeline, or the config.json or model_index.json there
 * @throws AuroraError 'model' for a folder without any of these, for a pipeline of another class, or if a component is
 *   missing
 */
export function modelSource(path: string): ModelSource {
  const file = modelFile(path);
  const kind = modelKind(file);
  switch (kind) {
    case 'onnx':
      return { kind, file };
    case 'hub':
      if (file !== path && !inputExists(file, 'model-data')) throw noModel(path);
      return { kind, file: resolve(file) };
    case 'pipeline':
      return readPipeline(resolve(file));
  }
}

const noModel = (folder: string): AuroraError =>
  new AuroraError(
    'model',
    `${folder} is a folder without config.json, so it is not a model.`,
    'Name the .onnx file in it, or a folder as the hub has it, with config.json and safetensors.',
  );

/**
 * The pipeline of a task that draws pictures from prompts.
 *
 * @throws AuroraError 'model' for another model, and for a pipeline that needs more than a prompt: one that refines
 *   pictures, or whose U-Net reads more than noisy latents, as those that fill in masks do, or predicts a variance
 *   besides
 */
export function requireTextToImage(source: ModelSource): Pipeline {
  if (source.kind !== 'pipeline')
    throw new AuroraError(
      'model',
      `${source.file} is not a diffusers pipeline: it has no model_index.json.`,
      'Get one with `aurora get model`, such as stabilityai/stable-diffusion-xl-base-1.0.',
    );
  const { folder, unet, vae, requiresAestheticsScore } = source;
  if (requiresAestheticsScore)
    throw new AuroraError(
      'model',
      `${folder} refines pictures of another pipeline: it does not draw from a prompt.`,
      'Choose the base model of SDXL.',
    );
  const file = configOf(unet);
  // An export may have none.
  if (!inputExists(file, 'model-data')) return source;
  const config = readConfig(file);
  for (const key of ['in_channels', 'out_channels']) {
    const channels = config.count(key, 4);
    if (channels === vae.latentChannels) continue;
    throw new AuroraError(
      'model',
      `${file}: ${key} is ${channels}, but the latents of the autoencoder have ${vae.latentChannels}: the U-Net does not draw from a prompt alone.`,
      'Choose a pipeline for text to image, not one for inpainting, depth or upscaling.',
    );
  }
  return source;
}

const XL = 'StableDiffusionXLPipeline';
const CLASSES: readonly string[] = ['StableDiffusionPipeline', XL];
/** The class names of exports to ONNX. */
const EXPORTED = /^(?:ORT|Onnx)(?=StableDiffusion)/;

/** Reads the index of a pipeline in diffusers' layout, or in that of Optimum's exports to ONNX. */
function readPipeline(index: string): Pipeline {
  const folder = dirname(index);
  const config = readConfig(index);
  const name = config.text('_class_name').replace(EXPORTED, '');
  if (!CLASSES.includes(name))
    throw new AuroraError(
      'model',
      `${index}: _class_name is ${JSON.stringify(name.slice(0, 60))}, which is not supported.`,
      `Choose a pipeline of Stable Diffusion 1, 2 or XL (${CLASSES.join(', ')}; docs/models.md, "Pipelines of diffusers").`,
    );
  const names = (['text_encoder', 'text_encoder_2'] as const).filter(
    (part) => config.isPair(part) && inputExists(join(folder, part), 'model-data'),
  );
  if (names.length === 0) throw missing(folder, 'text_encoder');
  return {
    kind: 'pipeline',
    file: index,
    folder,
    isXl: name === XL,
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
}

const ONNX = 'model.onnx';

/** A folder with weights, or the ONNX file there. */
function component(folder: string, part: string): ModelPart {
  const hub: ModelPart = { kind: 'hub', file: join(folder, part, MODEL_CONFIG) };
  if (inputExists(hub.file, 'model-data') && hasWeights(dirname(hub.file))) return hub;
  const onnx: ModelPart = { kind: 'onnx', file: join(folder, part, ONNX) };
  if (inputExists(onnx.file, 'model-data')) return onnx;
  if (inputExists(hub.file, 'model-data')) return hub;
  throw missing(folder, part);
}

function vaeOf(folder: string): Vae {
  const exported = ['vae_encoder', 'vae_decoder'].map((part): ModelPart => ({
    kind: 'onnx',
    file: join(folder, part, ONNX),
  }));
  const isExported =
    !inputExists(join(folder, 'vae'), 'model-data') &&
    exported.every(({ file }) => inputExists(file, 'model-data'));
  const [encoder, decoder = encoder] = isExported ? exported : [component(folder, 'vae')];
  const config = readConfig(configOf(decoder));
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
