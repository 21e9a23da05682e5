import { createHash } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { version } from '../../../package.json';
import { AuroraError } from '../../base/errors';
import { sortedJson } from '../../base/sorted-json';
import type { ImageSource } from '../../data/images/source';
import { writeAtomic } from '../../files/atomic';
import { hashFile } from '../../files/hash';
import {
  encodeSafetensors,
  type FloatTensor,
  readSafetensors,
  type SafetensorsFile,
} from '../../graph/file/safetensors';
import { isFileRef, type Model } from '../../graph/model';

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

/** Results of encoders in a folder, one file for each, named after their inputs. */
export class Kept {
  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true });
  }

  /** @returns undefined if it is not there, or damaged */
  read(key: string): SafetensorsFile | undefined {
    const path = this.path(key);
    if (!existsSync(path)) return undefined;
    try {
      return readSafetensors(path);
    } catch (e) {
      if (e instanceof AuroraError) return undefined;
      throw e;
    }
  }

  write(key: string, tensors: ReadonlyMap<string, FloatTensor>, metadata: Record<string, string> = {}): void {
    writeAtomic(this.path(key), encodeSafetensors(tensors, metadata));
  }

  private path(key: string): string {
    return join(this.folder, `${key}.encoded`);
  }
}

/** A name for a result: the same for the same content alone. */
export const keyOf = (content: unknown): string =>
  createHash('sha256').update(sortedJson({ version, content })).digest('hex').slice(0, 32);

/**
 * SHA-256 of a model's own files: those that describe its structure, and its weights.
 *
 * @param path of its config.json, or of its ONNX file
 */
export async function modelHashes(model: Model, path: string): Promise<string[]> {
  const weights = [...model.graph.initializers.values()].flatMap(({ data }) =>
    isFileRef(data) ? [data.path] : [],
  );
  const files = [...new Set([path, ...weights])].sort();
  const hashes: string[] = [];
  for (const file of files) hashes.push((await hashFile(file)).sha256);
  return hashes;
}
