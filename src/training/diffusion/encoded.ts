import type { ImageSource } from '../../data/images/source';

/** What is encoded once, before training or before pictures are drawn. */
export interface ToEncode {
  images: readonly ImageSource[];
  prompts: readonly string[];
  /** Of the square that each image is resized and cropped to, in pixels. */
  resolution: number;
  /** From the center; otherwise from a place that is drawn once for each image, by `seed`. */
  centerCrop: boolean;
  seed: number;
}

/** What a text encoder, or both of SDXL, make of a prompt. */
export interface PromptEmbedding {
  /** encoder_hidden_states: [tokens, width], rows first. */
  hidden: Float32Array;
  tokens: number;
  width: number;
  /** text_embeds of SDXL: the projection of the whole prompt. */
  pooled?: Float32Array;
}

export interface Encoded {
  /** Of the latents of every image: channels, height and width. */
  latentShape: readonly [channels: number, height: number, width: number];
  /** latent_parameters of an image, not scaled: means [c, h, w], then log-variances (`samplePosterior`). */
  latents(image: number): Float32Array;
  /** By text. @throws Error for one that was not encoded */
  embedding(prompt: string): PromptEmbedding;
  /** SDXL's time_ids of an image: original height and width, top and left of the crop, and the resolution twice. */
  timeIds(image: number): number[];
}

export interface EncodeOptions {
  /** Where results are kept, by content: a second call reads them. */
  keep: string;
  /** For temporary graphs. */
  folder: string;
  /** Of the runtime; 0 for one per core. */
  threads: number;
  /** Called after each image and prompt. */
  progress?: (done: number, of: number) => void;
  /** Asked in between: once true, nothing more is encoded. What was stays. */
  stopped?: () => boolean;
}

/** Whether to stop. Signals and requests are read only here: the runtime blocks the event loop. */
export async function isStopped({ stopped }: Pick<EncodeOptions, 'stopped'>): Promise<boolean> {
  await new Promise((resolve) => setImmediate(resolve));
  return stopped?.() ?? false;
}
