import { loadVaeDecoder, type Pipeline } from '../../architectures/pipeline';
import { AuroraError } from '../../base/errors';
import { encodePng } from '../../data/images/png';
import { DType } from '../../graph/dtype';
import type { HostTensors } from '../../graph/host-tensor';
import type { ValueInfo } from '../../graph/model';
import type { DrawingSettings } from '../../protocol/playground';
import { decodeLatents } from './decode';
import { promptReader, promptTokenizers } from './encode';
import type { EncodeOptions } from './encoded';
import { Kept } from './kept';
import {
  conditionsOf,
  drawLatents,
  pictureTimeIds,
  zeroEmbedding,
  type DrawingHooks,
  type Predict,
} from './sampler';
import { pipelineSchedule } from './schedule';

/** A prompt, and what to stay away from. */
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

/** Of a U-Net alone; with the text encoders in its graph, it reads token ids. */
const EMBEDDED = 'encoder_hidden_states';
const IDS = 'input_ids';
const SECOND_IDS = 'input_ids_2';
const TIME_IDS = 'time_ids';

/**
 * @param inputs of the U-Net's graph, or of that of the U-Net with the text encoders
 * @throws AuroraError 'model' for a pipeline that does not draw from prompts alone
 */
export function openDrawer(
  pipeline: Pipeline,
  inputs: readonly ValueInfo[],
  options: Pick<EncodeOptions, 'keep' | 'folder' | 'threads'>,
): Drawer {
  if (pipeline.requiresAestheticsScore)
    throw new AuroraError(
      'model',
      `${pipeline.folder} refines pictures of another pipeline: it does not draw from a prompt.`,
      'Choose the base model of SDXL.',
    );
  const schedule = pipelineSchedule(pipeline);
  const { vae } = pipeline;
  const kept = new Kept(options.keep);
  const timestepType = inputs.find((i) => i.name === 'timestep')?.dtype ?? DType.int64;
  const reads = (name: string) => inputs.some((i) => i.name === name);
  const isEmbedded = reads(EMBEDDED);

  /** Whether a negative prompt is all zeros instead of an embedding. */
  const isZero = (negative: string) => negative === '' && pipeline.isXl && pipeline.forceZerosForEmptyPrompt;
  const encode = async (questions: readonly { text: string; negative?: string }[]) => {
    const prompts = questions.flatMap(({ text, negative = '' }) =>
      isZero(negative) ? [text] : [text, negative],
    );
    // Nothing stops it.
    return (await promptReader(pipeline, prompts, kept, options, () => undefined))!.embedding;
  };

  /** Of the prompt and of the negative one. */
  const embedded = async (text: string, negative: string, times: readonly number[]) => {
    const embedding = await encode([{ text, negative }]);
    const prompt = embedding(text);
    const other = isZero(negative) ? zeroEmbedding(prompt) : embedding(negative);
    return [conditionsOf(prompt, times), conditionsOf(other, times)] as const;
  };

  const tokenized = (text: string, negative: string, times: readonly number[]) => {
    const tokenizers = promptTokenizers(pipeline);
    const conditions = (prompt: string): HostTensors => {
      const all: HostTensors = {};
      tokenizers.forEach(({ encode, length }, i) => {
        const data = BigInt64Array.from(encode(prompt).ids, BigInt);
        all[i === 0 ? IDS : SECOND_IDS] = { dtype: DType.int64, dims: [1, length], data };
      });
      if (reads(TIME_IDS))
        all[TIME_IDS] = { dtype: DType.float, dims: [1, times.length], data: Float32Array.from(times) };
      return all;
    };
    return [conditions(text), conditions(negative)] as const;
  };

  return {
    async prepare(questions) {
      if (isEmbedded) await encode(questions);
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
      const [prompt, other] = await (isEmbedded ? embedded : tokenized)(text, negative, times);
      const shape = [vae.latentChannels, height / vae.factor, width / vae.factor] as const;
      const drawing = { schedule, settings, shape, prompt, negative: other, timestepType };
      const latents = await drawLatents(drawing, predict, hooks);
      if (!latents) return undefined;
      const decoder = { load: () => loadVaeDecoder(pipeline), path: vae.decoder };
      return {
        width,
        height,
        png: await encodePng(await decodeLatents(decoder, latents, shape, vae, options)),
      };
    },
  };
}
