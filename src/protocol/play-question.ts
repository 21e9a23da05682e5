import { SAMPLERS, type PictureSettings } from '../experiment/pictures';
import {
  count,
  either,
  finite,
  listOf,
  maybe,
  number,
  object,
  oneOf,
  text,
  type Check,
  type Fields,
} from './checks';

/** An adapter that is added to a subject's: a run, at its best evaluation, or one from disk. */
export interface PlayAdapter {
  /** The folder of the run, or a folder or file as `adapter` of a model. */
  path: string;
  /** The factor of its change of each layer; negative ones subtract it. */
  weight: number;
}

/** Adapters that answer together. */
export interface Weighted {
  /** The weight of the subject's own adapter, 1 if omitted. */
  weight?: number;
  /** Others on the same model. */
  adapters?: PlayAdapter[];
}

/** The source of a subject. */
export type PlaySource = Weighted & Played;

type Played =
  | { kind: 'run'; run: string; at: 'best' | 'last' | number }
  /**
   * An ONNX file, with its tokenizer beside it unless specified, a folder from the hub, or a pipeline of diffusers; `adapter` is
   * a folder in PEFT's layout, or a LoRA in the layout of diffusers or kohya's scripts.
   */
  | { kind: 'model'; model: string; tokenizer?: string; adapter?: string };

/** The name of a model, with its adapter: most files are called model.onnx, so the folder is more informative. */
export function modelName(model: string, adapter?: string): string {
  const last = (path: string, parts: number) => path.split(/[\\/]/).filter(Boolean).slice(-parts).join('/');
  // For a folder from the hub, the path of the file that describes it is given too.
  const path = model.replace(/[\\/](config|model_index)\.json$/, '');
  const name = last(path, /(^|[\\/])model(_\w+)?\.onnx$/.test(path) ? 2 : 1);
  return adapter === undefined ? name : `${name} + ${last(adapter, 1)}`;
}

/** The loaded model, and the same model without its adapter. */
export const PLAY_VARIANTS = ['adapted', 'base'] as const;
export type PlayVariant = (typeof PLAY_VARIANTS)[number];

export interface PlayImage {
  width: number;
  height: number;
  /** Base64: red, green, blue and alpha of each pixel, row by row from the top. */
  rgba: string;
}

export interface GenerationSettings {
  /** Maximum number of tokens to generate. */
  maxTokens: number;
  /** 0: greedy decoding. */
  temperature: number;
  /** Top-k: only the k most likely tokens; 0 for all. */
  topK: number;
  /** Top-p: only the most likely tokens with this total probability; 1 for all. */
  topP: number;
  seed: number;
}

export const GENERATION_DEFAULTS: GenerationSettings = {
  maxTokens: 64,
  temperature: 0,
  topK: 0,
  topP: 1,
  seed: 0,
};

/** In pixels; both sides are multiples of 8, by which the autoencoder divides them. */
export interface DrawingSettings extends PictureSettings {
  width: number;
  height: number;
}

export const imageCheck = object({ width: count, height: count, rgba: text });
export const generationCheck = object({
  maxTokens: count,
  temperature: number,
  topK: count,
  topP: (value) => number(value) && (value as number) > 0 && (value as number) <= 1,
  seed: count,
});
const side: Check = (value) =>
  count(value) && (value as number) >= 8 && (value as number) <= 4096 && (value as number) % 8 === 0;
export const DRAWING_FIELDS: Fields = {
  width: side,
  height: side,
  steps: (value) => count(value) && (value as number) >= 1 && (value as number) <= 1000,
  guidance: number,
  sampler: oneOf(...SAMPLERS),
};
export const drawingCheck = object({ ...DRAWING_FIELDS, seed: count });
const adaptersCheck = listOf(object({ path: text, weight: finite }));
const weighted: Fields = { weight: maybe(finite), adapters: maybe(adaptersCheck) };
export const sourceCheck = either(
  object({ kind: oneOf('run'), run: text, at: either(oneOf('best', 'last'), count), ...weighted }),
  object({ kind: oneOf('model'), model: text, tokenizer: maybe(text), adapter: maybe(text), ...weighted }),
);
export const weightsCheck = listOf(finite);

export const areWeights = (value: unknown): value is number[] => weightsCheck(value);
export const arePlayAdapters = (value: unknown): value is PlayAdapter[] => adaptersCheck(value);
export const isPlayImage = (value: unknown): value is PlayImage => imageCheck(value);
export const isGenerationSettings = (value: unknown): value is GenerationSettings => generationCheck(value);
export const isDrawingSettings = (value: unknown): value is DrawingSettings => drawingCheck(value);
