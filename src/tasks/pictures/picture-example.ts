import type { Dataset, Example } from '../../data/dataset';
import type { PromptTokenizer } from '../../data/text/prompt-tokenizer';
import type { ImageSource } from '../../data/images/source';
import type { HostTensor } from '../../graph/host-tensor';
import type { TrainingSchedule } from '../diffusion/noising';
import type { DataSplit, TaskData } from '../task-data';

/** An image with its prompt; in an evaluation with one of several fixed amounts of noise. Plain data, shared by reference. */
export interface PictureExample extends Example {
  source: ImageSource;
  prompt: string;
  noising: Noising;
  /** The timestep in an evaluation; training draws one in each epoch. */
  timestep?: number;
  /** The encoded image and prompt. Set before the first batch. */
  encoded?: EncodedPicture;
  /** Class images, one of which is drawn for each example in each epoch (prior preservation). */
  classImages?: readonly PictureExample[];
}

/** The drawing and mixing of noise for all examples. */
export interface Noising {
  seed: number;
  schedule: TrainingSchedule;
  noiseOffset: number;
  /** γ of Min-SNR; undefined for the same weight at all timesteps. */
  snrGamma?: number;
  /** The weight of the loss on class images. */
  priorWeight: number;
}

export interface EncodedPicture {
  /** latent_parameters of the image: (2c, h, w), means before log-variances. */
  latents: HostTensor;
  scalingFactor: number;
  shiftFactor: number;
  /** The model's other inputs by their names, without the axis of the batch. */
  inputs: Readonly<Record<string, HostTensor>>;
}

export interface PictureDataset extends Dataset<PictureExample> {
  examples: PictureExample[];
}

export interface PictureSplit extends DataSplit<PictureExample> {
  dataset: PictureDataset;
}

export interface PictureData extends TaskData<PictureExample> {
  train: PictureSplit;
  validation: PictureSplit;
  /** The size in pixels to which images are cut. */
  resolution: number;
  centerCrop: boolean;
  /** The tokenizer of the prompts, to show their words. @throws AuroraError 'tokenizer' */
  promptTokenizer: () => PromptTokenizer;
}

/** Every example: of training, its class images, and of validation. */
export function picturesOf({
  train,
  validation,
}: Pick<PictureData, 'train' | 'validation'>): PictureExample[] {
  const { examples } = train.dataset;
  return [...examples, ...(examples[0]?.classImages ?? []), ...validation.dataset.examples];
}
