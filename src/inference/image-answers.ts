import { AuroraError } from '../base/errors';
import { DType } from '../graph/dtype';
import type { ValueInfo } from '../graph/model';
import type { HostTensor } from '../graph/tensor-infos';
import type { ImageShape } from '../protocol/playground';
import type { PlayImage, PlayVariant } from '../protocol/play-question';
import { openAnswers } from './answer-session';
import { classifierLabels, probabilitiesOf } from './classification';
import type { OpenedModel } from './open-model';
import { black, requireImage } from './questions';
import type { Classifier } from './subject';

/** A model that labels images. */
export async function openImages(opened: OpenedModel): Promise<Classifier> {
  const { path, files, scale } = opened;
  const [input] = opened.inputs;
  const settings = imageSettings(input, path, files.preprocessor);
  const { preprocessing } = settings;
  const { width, height, shortestEdge } = preprocessing;
  const session = await openAnswers(path, opened.graph, opened.options);
  const run = (tensor: HostTensor, variant: PlayVariant) => session.run({ [input.name]: tensor }, variant);
  const { answer } = await run(imageTensor(black({ width, height }), preprocessing), 'adapted');
  if (answer.dims.slice(2).some((d) => d !== 1))
    throw new AuroraError(
      'model',
      `${path} returns [${answer.dims.join(', ')}] for one image; a classifier returns [1, labels].`,
      'The playground shows no masks, boxes or features: train or export a classifier.',
    );
  const { labels, assumed } = classifierLabels(opened, answer.data.length);
  return {
    facts: {
      ...opened.facts,
      input: 'image',
      answer: 'label',
      labels,
      image: { width, height, shortestEdge },
      assumed: [...assumed, ...settings.assumed],
    },
    variants: session.variants,
    async answer({ image }, variant) {
      const { answer, seconds } = await run(imageTensor(requireImage({ image }), preprocessing), variant);
      return { probabilities: probabilitiesOf(answer.data as Float32Array, scale), seconds };
    },
    dispose: () => session.dispose(),
  };
}

/** The statistics of the images on which most classifiers were trained. */
const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const USUAL_SIDE = 224;

type Json = Record<string, unknown>;

/**
 * The settings that make an image the model's input: sizes fixed by the model, then preprocessor_config.json as Hugging
 * Face's image processors interpret it, then the usual values, listed in `assumed`.
 *
 * @param config preprocessor_config.json; empty if there is none
 * @throws AuroraError 'model' for an input that does not take an image
 */
export function imageSettings(
  input: ValueInfo,
  path: string,
  config: Json,
): { preprocessing: Preprocessing; assumed: string[] } {
  const [batch, depth, ...sides] = input.shape!;
  const fail = (why: string, hint: string) =>
    new AuroraError(
      'model',
      `${path}: ${input.name} is [${input.shape!.map((d) => d ?? '?').join(', ')}]: ${why}.`,
      hint,
    );
  if (typeof batch === 'number' && batch !== 1)
    throw fail(
      `its batch size is fixed at ${batch}`,
      'Export it with a dynamic batch axis or a batch size of 1.',
    );
  const channels = typeof depth === 'number' ? depth : 3;
  if (channels !== 1 && channels !== 3)
    throw fail(
      'its second axis must have 1 or 3 channels',
      'Export it for [batch, channels, height, width].',
    );
  const assumed: string[] = [];
  const known = Object.keys(config).length > 0;
  const { size, shortestEdge } = sizeIn(config);
  const [height, width] = sides.map((side, i) => (typeof side === 'number' ? side : size?.[i]));
  if (height === undefined || width === undefined)
    assumed.push(`The image size is not specified; ${USUAL_SIDE} × ${USUAL_SIDE} is assumed.`);
  const { mean, std } = normalization(config, channels);
  if (!known)
    assumed.push(
      `No preprocessor_config.json was found next to the model; a scale of 1/255 and the mean and standard deviation of ImageNet are assumed.`,
    );
  const factor = typeof config.rescale_factor === 'number' ? config.rescale_factor : 1 / 255;
  const preprocessing: Preprocessing = {
    width: width ?? USUAL_SIDE,
    height: height ?? USUAL_SIDE,
    channels,
    rescale: config.do_rescale === false ? 1 : factor,
    mean,
    std,
    shortestEdge,
  };
  return { preprocessing, assumed };
}

/** Height and width, and the length of the shorter side before cropping. */
function sizeIn(config: Json): { size?: [number, number]; shortestEdge?: number } {
  const crops = config.do_center_crop === true;
  const crop = sides(config.crop_size);
  const edge = isSide(config.size) && crops ? config.size : (config.size as Json | undefined)?.shortest_edge;
  const shortestEdge = isSide(edge) ? edge : undefined;
  const size = (crops ? crop : undefined) ?? sides(config.size) ?? sides(shortestEdge);
  return { size, shortestEdge };
}

const isSide = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0;

function sides(value: unknown): [number, number] | undefined {
  if (isSide(value)) return [value, value];
  const { height, width } = (value ?? {}) as Json;
  return isSide(height) && isSide(width) ? [height, width] : undefined;
}

function normalization(config: Json, channels: number): { mean: number[]; std: number[] } {
  const none = { mean: Array<number>(channels).fill(0), std: Array<number>(channels).fill(1) };
  if (config.do_normalize === false) return none;
  const given = Object.keys(config).length > 0;
  const spread = (value: unknown, usual: number[]) => {
    const list = [value ?? (given ? undefined : usual)].flat().filter((v) => typeof v === 'number');
    return list.length >= channels
      ? list.slice(0, channels)
      : list.length === 1
        ? Array<number>(channels).fill(list[0])
        : undefined;
  };
  const mean = spread(config.image_mean, IMAGENET.mean);
  const std = spread(config.image_std, IMAGENET.std);
  return mean && std ? { mean, std } : none;
}

/** The conversion of pixels to the input of an image model. */
interface Preprocessing extends ImageShape {
  /** 1 (gray) or 3. */
  channels: number;
  /** Factor on the pixel values from 0 to 255. */
  rescale: number;
  /** By channel, after the factor. */
  mean: number[];
  std: number[];
}

/** Greyscale as in ITU-R BT.601, which Pillow also uses. */
const GRAY = [0.299, 0.587, 0.114];

/** An image of the model's size as its input: [1, channels, height, width]. */
export function imageTensor(image: PlayImage, p: Preprocessing): HostTensor {
  const { width, height, channels } = p;
  const rgba = Buffer.from(image.rgba, 'base64');
  const pixels = width * height;
  if (image.width !== width || image.height !== height || rgba.length !== 4 * pixels)
    throw new AuroraError(
      'data',
      `The image is ${image.width} × ${image.height} and has ${rgba.length} bytes; the model reads ${width} × ${height}, four bytes a pixel.`,
      'Scale the image to that size first.',
    );
  const data = new Float32Array(channels * pixels);
  for (let i = 0; i < pixels; i++)
    for (let c = 0; c < channels; c++) {
      const value =
        channels === 1 ? GRAY.reduce((sum, part, k) => sum + part * rgba[4 * i + k], 0) : rgba[4 * i + c];
      data[c * pixels + i] = (value * p.rescale - p.mean[c]) / p.std[c];
    }
  return { dtype: DType.float, dims: [1, channels, height, width], data };
}
