import { requireTextToImage, type ModelSource } from '../../architectures/model-source';
import { loadVaeDecoder } from '../../architectures/pipeline';
import { AuroraError } from '../../base/errors';
import { encodePng } from '../../data/images/png';
import type { HostTensors } from '../../graph/tensor-infos';
import type { ValueInfo } from '../../graph/model';
import type { DrawingSettings } from '../../protocol/play-question';
import { decodeLatents } from './decode-latents';
import { promptReader } from './encode-pipeline';
import { type EncodeOptions, type PromptEmbedding, Kept } from './encoded';
import { promptInputs } from './encode-data';
import { drawLatents, pictureTimeIds, zeroEmbedding, type DrawingHooks, type Predict } from './sampler';
import { pipelineSchedule } from './schedule';

/** A prompt, and a negative prompt. */
export interface DrawingQuestion {
  text: string;
  negative?: string;
  settings: DrawingSettings;
}

export interface DrawnPicture {
  width: number;
  height: number;
  png: Buffer;
}

/** Draws pictures with a pipeline; its U-Net is in memory elsewhere. */
export interface Drawer {
  /** Encodes prompts now, so that no encoder has to be opened when they are drawn. */
  prepare(questions: readonly Pick<DrawingQuestion, 'text' | 'negative'>[]): Promise<void>;
  /**
   * @param predict of the U-Net
   * @returns undefined if it was stopped
   * @throws AuroraError for a size or a number of steps that the pipeline does not have, and as `drawLatents`
   */
  draw(question: DrawingQuestion, predict: Predict, hooks?: DrawingHooks): Promise<DrawnPicture | undefined>;
}

const TIMESTEP = 'timestep';

/**
 * @param inputs of the U-Net's graph, or of that of the U-Net with the text encoders
 * @throws AuroraError as `requireTextToImage`
 */
export function openDrawer(
  source: ModelSource,
  inputs: readonly ValueInfo[],
  options: Pick<EncodeOptions, 'keep' | 'folder' | 'threads'>,
): Drawer {
  const pipeline = requireTextToImage(source);
  const schedule = pipelineSchedule(pipeline);
  const { vae } = pipeline;
  const kept = new Kept(options.keep);
  const timestep = inputs.find((i) => i.name === TIMESTEP)!;
  const reads = promptInputs(pipeline, inputs);

  /** True if a negative prompt is all zeros instead of an embedding. */
  const isZero = (negative: string) => negative === '' && pipeline.isXl && pipeline.forceZerosForEmptyPrompt;
  const encode = async (questions: readonly { text: string; negative?: string }[]) => {
    const prompts = questions.flatMap(({ text, negative = '' }) =>
      isZero(negative) ? [text] : [text, negative],
    );
    // Nothing stops it.
    return (await promptReader(pipeline, prompts, kept, options, () => undefined))!;
  };

  /** The U-Net's inputs for the prompt and for the negative one. */
  const conditions = async (text: string, negative: string, times: readonly number[]) => {
    const embedding = reads.areEmbedded ? await encode([{ text, negative }]) : nothing;
    const other = isZero(negative) ? () => zeroEmbedding(embedding(text)) : embedding;
    return [reads.of(text, times, embedding), reads.of(negative, times, other)].map(asBatch);
  };

  return {
    async prepare(questions) {
      if (reads.areEmbedded) await encode(questions);
    },
    async draw({ text, negative = '', settings }, predict, hooks) {
      const { width, height } = settings;
      for (const side of [width, height])
        if (side % vae.factor !== 0)
          throw new AuroraError(
            'usage',
            `A picture cannot be ${width} × ${height} pixels: the autoencoder of ${pipeline.folder} makes one latent of ${vae.factor} × ${vae.factor}.`,
            `Choose multiples of ${vae.factor}.`,
          );
      const times = pictureTimeIds(width, height);
      const [prompt, other] = await conditions(text, negative, times);
      const shape = [vae.latentChannels, height / vae.factor, width / vae.factor] as const;
      const drawing = { schedule, settings, shape, prompt, negative: other, timestep };
      const latents = await drawLatents(drawing, predict, hooks);
      if (!latents) return undefined;
      const decoder = { load: () => loadVaeDecoder(vae.decoder), path: vae.decoder.file };
      return {
        width,
        height,
        png: await encodePng(await decodeLatents(decoder, latents, shape, vae, options)),
      };
    },
  };
}

/** Text encoders that are in the U-Net's graph read tokens. */
const nothing = (prompt: string): PromptEmbedding => {
  throw new Error(`${prompt} is not embedded`);
};

/** A batch of one. */
const asBatch = (row: HostTensors): HostTensors =>
  Object.fromEntries(Object.entries(row).map(([name, t]) => [name, { ...t, dims: [1, ...t.dims] }]));
