import { SAMPLERS, type SamplerName } from '../../experiment/pictures';

/**
 * pictures/index.json: the pictures of a few prompts before training and at evaluations. Written after the pictures.
 */
export interface RunPictures {
  version: 1;
  /** The width of each picture, in pixels. */
  width: number;
  height: number;
  sampler: SamplerName;
  steps: number;
  guidance: number;
  negativePrompt?: string;
  prompts: PicturePrompt[];
  /** File names of the base model's pictures, by prompt. A shorter list lacks pictures that were not drawn yet. */
  base: string[];
  /** In their order. */
  evaluations: PictureEvaluation[];
}

export interface PicturePrompt {
  text: string;
  /** The seed of each picture's initial noise. */
  seed: number;
}

export interface PictureEvaluation {
  step: number;
  /** File names by prompt, like `base`. */
  files: string[];
}

/** Bounds of the shown content: a file in a run folder may come from anywhere. */
const LIMITS = { prompts: 100, evaluations: 10_000, side: 8192, text: 10_000 };

/** A file in the folder of the index, and nothing else: no path, no drive, no hidden file. */
const FILE_NAME = /^[a-z0-9][a-z0-9-]{0,99}\.png$/;
export const isPictureName = (value: unknown): value is string =>
  typeof value === 'string' && FILE_NAME.test(value);

const object = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
const isCount = (value: unknown, most = Number.MAX_SAFE_INTEGER): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most;
const isShortText = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= LIMITS.text;

/** @returns undefined for a file of a later version, or one that was changed */
export function parsePictures(value: unknown): RunPictures | undefined {
  const { version, width, height, sampler, steps, guidance, negativePrompt, prompts, base, evaluations } =
    object(value);
  const drawn = [width, height].every((side) => isCount(side, LIMITS.side) && side > 0) && isCount(steps);
  if (version !== 1 || !drawn || !Number.isFinite(guidance)) return undefined;
  if (!SAMPLERS.includes(sampler as SamplerName)) return undefined;
  if (negativePrompt !== undefined && !isShortText(negativePrompt)) return undefined;
  if (!Array.isArray(prompts) || prompts.length > LIMITS.prompts) return undefined;
  if (!Array.isArray(evaluations) || evaluations.length > LIMITS.evaluations) return undefined;
  const isPrompt = (prompt: unknown) => isShortText(object(prompt).text) && isCount(object(prompt).seed);
  const areFiles = (files: unknown) =>
    Array.isArray(files) && files.length <= prompts.length && files.every(isPictureName);
  const isEvaluation = (at: unknown) => isCount(object(at).step) && areFiles(object(at).files);
  return prompts.every(isPrompt) && areFiles(base) && evaluations.every(isEvaluation)
    ? (value as RunPictures)
    : undefined;
}
