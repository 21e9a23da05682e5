import type { Channels, ResizeTo } from './plan';
import type { Resample } from './resample';

/** The defaults of an image processor of transformers. */
export interface Processor {
  size: ResizeTo;
  resample: Resample;
  /** The sides of the center that is cut out; omitted if none is. */
  crop?: number;
  mean: Channels;
  std: Channels;
  /** The part of the resized image that is left after cropping, for sizes below 384 (ConvNeXT). */
  cropPct?: number;
}

const same = (value: number): Channels => [value, value, value];
const square = (side: number): ResizeTo => ({ width: side, height: side });
/** IMAGENET_STANDARD_MEAN, OPENAI_CLIP_MEAN and their deviations in transformers. */
const STANDARD = { mean: same(0.5), std: same(0.5) };
const CLIP = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
} as const;

/** By the name of the class without ImageProcessor or FeatureExtractor. */
export const PROCESSORS: Readonly<Record<string, Processor>> = {
  ViT: { size: square(224), resample: 'bilinear', ...STANDARD },
  DeiT: { size: square(256), resample: 'bicubic', crop: 224, ...STANDARD },
  Beit: { size: square(256), resample: 'bicubic', crop: 224, ...STANDARD },
  Siglip: { size: square(224), resample: 'bicubic', ...STANDARD },
  CLIP: { size: { shortestEdge: 224 }, resample: 'bicubic', crop: 224, ...CLIP },
  Bit: { size: { shortestEdge: 224 }, resample: 'bicubic', crop: 224, ...CLIP },
  ConvNext: { size: { shortestEdge: 384 }, resample: 'bicubic', cropPct: 224 / 256, ...STANDARD },
  MobileNetV1: { size: { shortestEdge: 256 }, resample: 'bilinear', crop: 224, ...STANDARD },
  MobileNetV2: { size: { shortestEdge: 256 }, resample: 'bilinear', crop: 224, ...STANDARD },
};
