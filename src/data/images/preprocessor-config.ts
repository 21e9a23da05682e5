import { jsonText } from '../../base/json-text';
import { AuroraError } from '../../base/errors';
import { own } from '../../base/names';
import type { PatchBudget } from '../../base/patch-budget';
import { readInput } from '../../files/inputs/open';
import type { Channels, Preprocessing, ResizeTo, Size } from './image';
import { type Resample, RESAMPLES } from './resize';

/** Steps of other processors that change a model's input; with any of them, ours would be wrong unnoticed. */
const UNSUPPORTED = [
  'do_align_long_axis',
  'do_flip_channel_order',
  'do_grayscale',
  'do_image_splitting',
  'do_pad',
  'do_thumbnail',
  'keep_aspect_ratio',
  'rescale_offset',
];

export interface ParsedPreprocessing {
  preprocessing: Preprocessing;
  /** The assumptions about settings that the file leaves open, as full sentences. */
  assumed: string[];
}

/**
 * The preprocessing in a preprocessor_config.json.
 *
 * @throws AuroraError 'model' if there is no such file, and as `parsePreprocessing`
 */
export function readPreprocessing(path: string): ParsedPreprocessing {
  let config: unknown;
  try {
    config = JSON.parse(readInput(path, 'preprocessor').toString('utf8'));
  } catch (cause) {
    const why = cause instanceof SyntaxError ? 'is not valid JSON' : 'cannot be read';
    throw new AuroraError(
      'model',
      `${path} ${why}: ${(cause as Error).message}`,
      'Copy it from the model’s source: it says how images are resized and scaled.',
      { cause },
    );
  }
  return parsePreprocessing(config, path);
}

/**
 * The preprocessing in the content of a preprocessor_config.json, as the image processor that it names interprets it. An
 * unknown one is taken for ViT's, and `assumed` says so and names what its file leaves open.
 *
 * @throws AuroraError 'model' for a value of another type or range, and for a step that is not supported
 */
export function parsePreprocessing(config: unknown, path: string): ParsedPreprocessing {
  const fields = new Fields(config, path);
  for (const step of UNSUPPORTED)
    if (fields.flag(step, false))
      throw new AuroraError(
        'model',
        `${path}: "${step}" is true; AuroRA Lab has no such step.`,
        `Use a model whose images are only resized, cropped, rescaled and normalized, as ${nameList()} do.`,
      );
  const name = fields.text('image_processor_type') ?? fields.text('feature_extractor_type');
  const known = own(PROCESSORS, (name ?? '').replace(/(ImageProcessor|FeatureExtractor)(Fast|Pil)?$/, ''));
  const processor = known ?? PROCESSORS.ViT;
  return {
    preprocessing: planOf(fields, processor, known !== undefined),
    assumed: known ? [] : assumptions(fields, path, name),
  };
}

function planOf(fields: Fields, processor: Processor, known: boolean): Preprocessing {
  if (processor.patches) return inPatches(fields, processor, processor.patches);
  const crops = fields.flag('do_center_crop', processor.crop !== undefined);
  const side = processor.crop ?? 224;
  const crop = crops ? fields.sides('crop_size', { width: side, height: side }) : undefined;
  // If the size is a single number, an unknown processor that crops makes the shortest edge: else there would be
  // nothing to crop.
  const shortest = known ? 'shortestEdge' in processor.size : crops;
  const size = fields.size('size', processor.size, shortest);
  const resizes = fields.flag('do_resize', true);
  const resample = fields.resample('resample', processor.resample);
  if (processor.rescalesFirst && resizes && !AS_NUMBERS.includes(resample))
    throw fields.wrong(
      'resample',
      AS_NUMBERS.map((name) => `${RESAMPLES.indexOf(name)} (${name})`).join(' or '),
    );
  return {
    resample,
    ...(processor.rescalesFirst && { rescalesFirst: true }),
    ...(resizes && processor.cropPct === undefined && { resize: size }),
    crop,
    ...(resizes && processor.cropPct !== undefined && cropped(fields, size, processor.cropPct)),
    ...numbersOf(fields, processor),
  };
}

/** The steps from bytes to numbers. */
const numbersOf = (
  fields: Fields,
  { mean, std }: Processor,
): Pick<Preprocessing, 'rescale' | 'normalize'> => ({
  ...(fields.flag('do_rescale', true) && { rescale: fields.positive('rescale_factor', 1 / 255) }),
  ...(fields.flag('do_normalize', true) && {
    normalize: { mean: fields.channels('image_mean', mean), std: fields.deviations('image_std', std) },
  }),
});

/** PyTorch resizes numbers with these filters alone. */
const AS_NUMBERS: readonly Resample[] = ['bilinear', 'bicubic'];

/** Larger pictures than any model reads. */
const MOST_PIXELS = 2 ** 26;

/** SigLIP 2's steps: each image has its own size, of at most so many patches. */
function inPatches(fields: Fields, processor: Processor, usual: PatchBudget): Preprocessing {
  // Images of other sizes could not be cut into whole patches.
  if (!fields.flag('do_resize', true))
    throw fields.wrong('do_resize', 'true, since images become whole patches');
  const patches = {
    side: fields.count('patch_size', usual.side),
    most: fields.count('max_num_patches', usual.most),
  };
  if (patches.most * patches.side ** 2 > MOST_PIXELS)
    throw fields.wrong(
      fields.has('max_num_patches') ? 'max_num_patches' : 'patch_size',
      `small enough for pictures of at most ${MOST_PIXELS} pixels`,
    );
  return {
    resample: fields.resample('resample', processor.resample),
    patches,
    ...numbersOf(fields, processor),
  };
}

/** From this size on, ConvNeXT resizes the whole image to a square instead. */
const WARPED = 384;

/** ConvNeXT's resizing: below 384, the shortest edge becomes the size / `crop_pct`, and the middle is cropped. */
function cropped(fields: Fields, size: ResizeTo, usual: number): { resize: ResizeTo; crop?: Size } {
  if (!('shortestEdge' in size)) throw fields.wrong('size', 'a number or {"shortest_edge": a number}');
  const square = { width: size.shortestEdge, height: size.shortestEdge };
  if (size.shortestEdge >= WARPED) return { resize: square };
  const shortestEdge = Math.trunc(size.shortestEdge / fields.positive('crop_pct', usual));
  return { resize: { shortestEdge }, crop: square };
}

/** The settings that an unknown processor would decide itself, with the assumptions. */
function assumptions(fields: Fields, path: string, name: string | undefined): string[] {
  const usual: Json = { size: '224 × 224', resample: 'bilinear', image_mean: 0.5, image_std: 0.5 };
  const missing = Object.keys(usual).filter((field) => !fields.has(field));
  const who = name === undefined ? 'names no image processor' : `names ${name}, which is not known here`;
  return [
    `${path} ${who}: its settings are read as those of ViTImageProcessor.`,
    ...missing.map((field) => `${path} has no "${field}": ${String(usual[field])} is assumed.`),
  ];
}

const nameList = (): string =>
  Object.keys(PROCESSORS)
    .map((name) => `${name}ImageProcessor`)
    .join(', ');

type Json = Record<string, unknown>;

/** Larger images than any model reads; a mistyped size must not fill the memory. */
const MAX_SIDE = 8192;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isSide = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) > 0 && (value as number) <= MAX_SIDE;
const MAX_COUNT = 2 ** 20;
const isCount = (value: unknown): boolean =>
  Number.isInteger(value) && (value as number) > 0 && (value as number) <= MAX_COUNT;
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/**
 * The fields of a preprocessor_config.json. A missing one, or null, has the default that is given. All throw an
 * AuroraError 'model' for a value of another type or range.
 */
class Fields {
  private readonly json: Json;
  constructor(
    config: unknown,
    private readonly path: string,
  ) {
    if (!isObject(config))
      throw new AuroraError('model', `${path} is not a JSON object.`, 'Copy it from the model’s source.');
    this.json = config;
  }

  has(field: string): boolean {
    return this.get(field) !== undefined;
  }

  text(field: string): string | undefined {
    return this.checked(field, undefined, 'a string', (v) => typeof v === 'string');
  }

  flag(field: string, otherwise: boolean): boolean {
    return this.checked(field, otherwise, 'true or false', (v) => typeof v === 'boolean');
  }

  count(field: string, otherwise: number): number {
    return this.checked(field, otherwise, `a number from 1 to ${MAX_COUNT}`, (v) => isCount(v));
  }

  positive(field: string, otherwise: number): number {
    return this.checked(field, otherwise, 'a number above 0', (v) => isNumber(v) && v > 0);
  }

  /** A number of PIL.Image.Resampling. */
  resample(field: string, otherwise: Resample): Resample {
    const number = this.checked(
      field,
      RESAMPLES.indexOf(otherwise),
      `a number from 0 to ${RESAMPLES.length - 1} (${RESAMPLES.join(', ')})`,
      (v) => [...RESAMPLES.keys()].includes(v as number),
    );
    return RESAMPLES[number];
  }

  /** A number for all channels, or one for each. */
  channels(field: string, otherwise: Channels): Channels {
    const value = this.get(field) ?? otherwise;
    const list = isNumber(value) ? [value, value, value] : value;
    if (!Array.isArray(list) || list.length !== 3 || !list.every(isNumber))
      throw this.wrong(field, 'a number, or three: for red, green and blue');
    return list as unknown as Channels;
  }

  deviations(field: string, otherwise: Channels): Channels {
    const values = this.channels(field, otherwise);
    if (!values.every((v) => v > 0)) throw this.wrong(field, 'above 0');
    return values;
  }

  /** A number for both sides, a list, or an object. */
  sides(field: string, otherwise: Size): Size {
    const value = this.get(field);
    if (value === undefined) return otherwise;
    const sides = sidesOf(value);
    if (!sides) throw this.wrong(field, `a number from 1 to ${MAX_SIDE} or {"height": …, "width": …}`);
    return sides;
  }

  /** @param shortest true if a single number is the shortest edge, and not both sides */
  size(field: string, otherwise: ResizeTo, shortest: boolean): ResizeTo {
    const value = this.get(field);
    if (value === undefined) return otherwise;
    const edge = isObject(value) ? value.shortest_edge : shortest ? value : undefined;
    const longest = isObject(value) ? (value.longest_edge ?? undefined) : undefined;
    if (isSide(edge) && longest === undefined) return { shortestEdge: edge };
    if (isSide(edge) && isSide(longest) && longest > edge)
      return { shortestEdge: edge, longestEdge: longest };
    const sides = sidesOf(value);
    if (!sides)
      throw this.wrong(
        field,
        `a number from 1 to ${MAX_SIDE}, {"height": …, "width": …}, or {"shortest_edge": …} with at most a larger "longest_edge"`,
      );
    return sides;
  }

  wrong(field: string, what: string): AuroraError {
    return new AuroraError(
      'model',
      `${this.path}: "${field}" is ${shown(this.json[field])}; it must be ${what}.`,
      'Correct it, or restore the file from the model’s source.',
    );
  }

  private get(field: string): unknown {
    return Object.hasOwn(this.json, field) ? (this.json[field] ?? undefined) : undefined;
  }

  private checked<T>(field: string, otherwise: T, what: string, isRight: (value: unknown) => boolean): T {
    const value = this.get(field);
    if (value === undefined) return otherwise;
    if (!isRight(value)) throw this.wrong(field, what);
    return value as T;
  }
}

function sidesOf(value: unknown): Size | undefined {
  if (isSide(value)) return { width: value, height: value };
  const [height, width] = Array.isArray(value)
    ? (value as unknown[])
    : isObject(value)
      ? [value.height, value.width]
      : [];
  return isSide(height) && isSide(width) ? { width, height } : undefined;
}

/** Maximum length of a quoted value. */
const SHOWN = 60;
function shown(value: unknown): string {
  const text = jsonText(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

/** The defaults of an image processor of transformers. */
interface Processor {
  size: ResizeTo;
  resample: Resample;
  /** The sides of the center that is cut out; omitted if none is. */
  crop?: number;
  mean: Channels;
  std: Channels;
  /** The part of the resized image that is left after cropping, for sizes below 384 (ConvNeXT). */
  cropPct?: number;
  /** Patches in place of a size (SigLIP 2). */
  patches?: PatchBudget;
  rescalesFirst?: boolean;
}

const same = (value: number): Channels => [value, value, value];
const square = (side: number): ResizeTo => ({ width: side, height: side });
/** IMAGENET_STANDARD_MEAN, IMAGENET_DEFAULT_MEAN, OPENAI_CLIP_MEAN and their deviations in transformers. */
const STANDARD = { mean: same(0.5), std: same(0.5) };
const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;
const CLIP = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
} as const;

/** By the name of the class without ImageProcessor or FeatureExtractor. */
const PROCESSORS: Readonly<Record<string, Processor>> = {
  ViT: { size: square(224), resample: 'bilinear', ...STANDARD },
  DeiT: { size: square(256), resample: 'bicubic', crop: 224, ...STANDARD },
  Beit: { size: square(224), resample: 'bicubic', ...STANDARD },
  Siglip: { size: square(224), resample: 'bicubic', ...STANDARD },
  Siglip2: { size: square(256), resample: 'bilinear', patches: { side: 16, most: 256 }, ...STANDARD },
  DINOv3ViT: { size: square(224), resample: 'bilinear', rescalesFirst: true, ...IMAGENET },
  CLIP: { size: { shortestEdge: 224 }, resample: 'bicubic', crop: 224, ...CLIP },
  Bit: { size: { shortestEdge: 224 }, resample: 'bicubic', crop: 224, ...CLIP },
  ConvNext: { size: { shortestEdge: 384 }, resample: 'bicubic', cropPct: 224 / 256, ...STANDARD },
  MobileNetV1: { size: { shortestEdge: 256 }, resample: 'bilinear', crop: 224, ...STANDARD },
  MobileNetV2: { size: { shortestEdge: 256 }, resample: 'bilinear', crop: 224, ...STANDARD },
};
