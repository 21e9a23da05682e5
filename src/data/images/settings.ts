import { AuroraError } from '../../base/errors';
import { own } from '../../base/names';
import { readInput } from '../../files/inputs/open';
import { Fields, type Json } from './fields';
import type { Size } from './image';
import type { Preprocessing, ResizeTo } from './plan';
import { PROCESSORS, type Processor } from './processors';

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
  const known = own(PROCESSORS, (name ?? '').replace(/(ImageProcessor|FeatureExtractor)(Fast)?$/, ''));
  const processor = known ?? PROCESSORS.ViT;
  return {
    preprocessing: planOf(fields, processor, known !== undefined),
    assumed: known ? [] : assumptions(fields, path, name),
  };
}

function planOf(fields: Fields, processor: Processor, known: boolean): Preprocessing {
  const { mean, std } = processor;
  const crops = fields.flag('do_center_crop', processor.crop !== undefined);
  const side = processor.crop ?? 224;
  const crop = crops ? fields.sides('crop_size', { width: side, height: side }) : undefined;
  // If the size is a single number, an unknown processor that crops makes the shortest edge: else there would be
  // nothing to crop.
  const shortest = known ? 'shortestEdge' in processor.size : crops;
  const size = fields.size('size', processor.size, shortest);
  const resizes = fields.flag('do_resize', true);
  return {
    resample: fields.resample('resample', processor.resample),
    ...(resizes && processor.cropPct === undefined && { resize: size }),
    ...(crop && { crop }),
    ...(resizes && processor.cropPct !== undefined && cropped(fields, size, processor.cropPct)),
    ...(fields.flag('do_rescale', true) && { rescale: fields.positive('rescale_factor', 1 / 255) }),
    ...(fields.flag('do_normalize', true) && {
      normalize: { mean: fields.channels('image_mean', mean), std: fields.deviations('image_std', std) },
    }),
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
