import { type Pipeline, requireTextToImage } from '../../architectures/model-source';
import type { Experiment } from '../../experiment/experiment';
import { DType } from '../../graph/dtype';
import type { ValueInfo } from '../../graph/model';
import type { HostTensor, HostTensors } from '../../graph/tensor-infos';
import { type EncodedPicture, type PictureData, picturesOf } from '../../tasks/pictures/picture-example';
import { type LoadData, modelInputs, type TaskData } from '../../tasks/task-data';
import type { BaseModel } from '../task/adapted-model';
import type { LoadFor } from '../task/task';
import { encodePipeline, promptTokenizers } from './encode-pipeline';
import type { EncodeOptions, PromptEmbedding } from './encoded';
import { conditionsOf } from './sampler';

/** True if data are images for a pipeline's encoders. */
export const isPictureData = (data: TaskData): data is PictureData => 'resolution' in data;

/**
 * Lets a pipeline's encoders read the images and prompts of data, once, and sets `encoded` of each example. The
 * encoders are in memory only during the call. Does nothing for another task's data, or without rows.
 *
 * @returns false if it was stopped
 * @throws AuroraError as `requireTextToImage` and `encodePipeline`
 */
export async function encodeData(
  spec: Experiment,
  { source, model }: BaseModel,
  data: TaskData,
  options: EncodeOptions,
): Promise<boolean> {
  if (!isPictureData(data)) return true;
  const pictures = picturesOf(data);
  if (pictures.length === 0) return true;
  const { resolution, centerCrop, warnings } = data;
  const pipeline = requireTextToImage(source);
  const images = [...new Set(pictures.map((p) => p.source))];
  const texts = [...new Set(pictures.map((p) => p.prompt))];
  const inputs = promptInputs(pipeline, modelInputs(model));
  const encoded = await encodePipeline(
    pipeline,
    {
      ...{ images, resolution, centerCrop },
      prompts: inputs.areEmbedded ? texts : [],
      seed: spec.training.seed,
    },
    options,
  );
  if (!encoded) return false;
  warnings.push(...texts.filter(inputs.isCut).map(truncatedWarning));
  const made = new Map<string, EncodedPicture['inputs']>();
  const inputsOf = (prompt: string, timeIds: readonly number[]) => {
    const key = JSON.stringify([prompt, timeIds]);
    const known = made.get(key) ?? inputs.of(prompt, timeIds, encoded.embedding);
    made.set(key, known);
    return known;
  };
  const [channels, height, width] = encoded.latentShape;
  const latents = images.map((_, i): HostTensor => ({
    dtype: DType.float,
    dims: [2 * channels, height, width],
    data: encoded.latents(i),
  }));
  const { scalingFactor, shiftFactor } = pipeline.vae;
  const placeOf = new Map(images.map((image, i) => [image, i]));
  for (const picture of pictures) {
    const at = placeOf.get(picture.source)!;
    const own = inputsOf(picture.prompt, encoded.timeIds(at));
    picture.encoded = { latents: latents[at]!, scalingFactor, shiftFactor, inputs: own };
  }
  return true;
}

/** Reads data and lets the encoders read them. @param options for callers that cannot be stopped */
export const withEncodings =
  (load: LoadData, options: EncodeOptions): LoadFor =>
  async (spec, base, known, watch) => {
    const data = await load(spec, base.model, known, watch);
    await encodeData(spec, base, data, options);
    return data;
  };

const truncatedWarning = (prompt: string): string =>
  `A prompt is longer than the text encoder reads, and its end has no effect: ${JSON.stringify(prompt)}.`;

/**
 * The inputs of a U-Net with its text encoders in one graph: the tokens of each encoder; otherwise a U-Net reads
 * embeddings.
 */
const TOKENS = ['input_ids', 'input_ids_2'];

/** A model's inputs for a prompt, without the axis of the batch. */
export interface PromptInputs {
  /** True if the text encoders read prompts before training. */
  areEmbedded: boolean;
  /** True if they do not read all of a prompt. */
  isCut(prompt: string): boolean;
  of(
    prompt: string,
    timeIds: readonly number[],
    embedding: (prompt: string) => PromptEmbedding,
  ): Readonly<Record<string, HostTensor>>;
}

export function promptInputs(pipeline: Pipeline, inputs: readonly ValueInfo[]): PromptInputs {
  const tokenizers = promptTokenizers(pipeline);
  const reads = inputs.map(({ name }) => name);
  const areEmbedded = !reads.includes(TOKENS[0]!);
  const tokens = (prompt: string): HostTensors =>
    Object.fromEntries(
      tokenizers.map(({ encode, length }, i) => [
        TOKENS[i]!,
        { dtype: DType.int64, dims: [length], data: BigInt64Array.from(encode(prompt).ids, BigInt) },
      ]),
    );
  const sizes = (timeIds: readonly number[]): HostTensor => ({
    dtype: DType.float,
    dims: [timeIds.length],
    data: Float32Array.from(timeIds),
  });
  return {
    areEmbedded,
    isCut: (prompt) => tokenizers.some(({ encode }) => encode(prompt).truncated),
    of(prompt, timeIds, embedding) {
      const all = areEmbedded
        ? rowOf(conditionsOf(embedding(prompt), timeIds))
        : { ...tokens(prompt), time_ids: sizes(timeIds) };
      return Object.fromEntries(Object.entries(all).filter(([name]) => reads.includes(name)));
    },
  };
}

const rowOf = (batch: HostTensors): HostTensors =>
  Object.fromEntries(
    Object.entries(batch).map(([name, { dims, ...tensor }]) => [name, { ...tensor, dims: dims.slice(1) }]),
  );
