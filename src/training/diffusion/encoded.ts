import type { ImageSource } from '../../data/images/source';

/** The images and prompts that are encoded once, before training or before pictures are drawn. */
export interface ToEncode {
  images: readonly ImageSource[];
  prompts: readonly string[];
  /** The size, in pixels, of the square that each image is resized and cropped to. */
  resolution: number;
  /** From the center; otherwise from a place that is drawn once for each image, by `seed`. */
  centerCrop: boolean;
  seed: number;
}

/** The result of a text encoder, or of both of SDXL, for a prompt. */
export interface PromptEmbedding {
  /** encoder_hidden_states: [tokens, width], rows first. */
  hidden: Float32Array;
  tokens: number;
  width: number;
  /** text_embeds of SDXL: the projection of the whole prompt. */
  pooled?: Float32Array;
}

export interface Encoded {
  /** The shape of the latents of every image: channels, height and width. */
  latentShape: readonly [channels: number, height: number, width: number];
  /** latent_parameters of an image, not scaled: means [c, h, w], then log-variances (`samplePosterior`). */
  latents(image: number): Float32Array;
  /** By text. @throws Error for one that was not encoded */
  embedding(prompt: string): PromptEmbedding;
  /** SDXL's time_ids of an image: original height and width, top and left of the crop, and the resolution twice. */
  timeIds(image: number): number[];
}

export interface EncodeOptions {
  /** The folder in which results are kept, by content: a second call reads them. */
  keep: string;
  /** For temporary graphs. */
  folder: string;
  /** The threads of the runtime; 0 for one per core. */
  threads: number;
  /** Called after each image and prompt. */
  progress?: (done: number, of: number) => void;
  /** Called between two encodings: once true, nothing more is encoded. Earlier results stay. */
  stopped?: () => boolean;
}

/** True if encoding should stop. Signals and requests are read only here: the runtime blocks the event loop. */
export async function isStopped({ stopped }: Pick<EncodeOptions, 'stopped'>): Promise<boolean> {
  await new Promise((resolve) => setImmediate(resolve));
  return stopped?.() ?? false;
}
