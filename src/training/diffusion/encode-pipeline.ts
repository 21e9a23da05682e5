import { readConfig } from '../../architectures/folder/config';
import { configOf, type Pipeline } from '../../architectures/model-source';
import { loadTextEncoder, loadVaeEncoder } from '../../architectures/pipeline';
import { AuroraError } from '../../base/errors';
import { loadPromptTokenizer, type PromptTokenizer } from '../../data/text/prompt-tokenizer';
import { encodeImages, readImage } from './encode-images';
import { encodePrompts } from './encode-prompts';
import { type Encoded, type EncodeOptions, Kept, type PromptEmbedding, type ToEncode } from './encoded';

/**
 * Encodes images and prompts with a pipeline's encoders. Each is in memory only while it encodes; earlier results, also
 * of an interrupted call, are read from `keep`.
 *
 * @returns undefined if it was stopped
 * @throws AuroraError where an image cannot be read or an encoder cannot be used
 */
export async function encodePipeline(
  pipeline: Pipeline,
  what: ToEncode,
  options: EncodeOptions,
): Promise<Encoded | undefined> {
  const { images, prompts, resolution } = what;
  const { factor, latentChannels } = pipeline.vae;
  if (resolution % factor !== 0)
    throw new AuroraError(
      'experiment',
      `task.resolution is ${resolution}, but the autoencoder of ${pipeline.folder} makes one latent of ${factor} × ${factor} pixels.`,
      `Choose a multiple of ${factor}.`,
    );
  const kept = new Kept(options.keep);
  const of = images.length + new Set(prompts).size * pipeline.textEncoders.length;
  let done = 0;
  const count = () => options.progress?.(++done, of);
  const keys = images.length > 0 ? await imageKeys(pipeline, what, kept, options, count) : [];
  const embedding = keys && (await promptReader(pipeline, prompts, kept, options, count));
  if (!keys || !embedding) return undefined;
  const imageOf = (image: number) => {
    const found = readImage(kept, keys[image]!);
    if (found) return found;
    throw new AuroraError(
      'lost',
      `What was encoded of image ${image + 1} is gone from ${options.keep}.`,
      'Run the command again, which encodes it again.',
    );
  };
  return {
    latentShape: [latentChannels, resolution / factor, resolution / factor],
    latents: (image) => imageOf(image).parameters.data,
    embedding,
    timeIds: (image) => imageOf(image).timeIds,
  };
}

/** Encodes prompts that are not kept. @returns a reader of their embeddings; undefined if it was stopped */
export function promptReader(
  pipeline: Pipeline,
  prompts: readonly string[],
  kept: Kept,
  options: EncodeOptions,
  done: () => void,
): Promise<((prompt: string) => PromptEmbedding) | undefined> {
  const encoders = promptTokenizers(pipeline).map((tokenizer, i) => {
    const { model } = pipeline.textEncoders[i]!;
    return { load: () => loadTextEncoder(model), path: model.file, tokenizer };
  });
  return encodePrompts(encoders, pipeline.isXl, prompts, kept, options, done);
}

/** The tokenizers of the text encoders. @throws AuroraError 'tokenizer' */
export const promptTokenizers = ({ textEncoders }: Pipeline): PromptTokenizer[] =>
  textEncoders.map(({ model, tokenizer }) => {
    const config = readConfig(configOf(model));
    return loadPromptTokenizer(tokenizer, config.count('max_position_embeddings', 77));
  });

function imageKeys(
  pipeline: Pipeline,
  what: ToEncode,
  kept: Kept,
  options: EncodeOptions,
  done: () => void,
): Promise<string[] | undefined> {
  const { encoder: part } = pipeline.vae;
  const encoder = { load: () => loadVaeEncoder(part), path: part.file };
  // The defaults of train_dreambooth.py and train_dreambooth_lora_sdxl.py.
  const resample = pipeline.isXl ? 'lanczos' : 'bilinear';
  return encodeImages(encoder, { ...what, resample }, kept, options, done);
}
