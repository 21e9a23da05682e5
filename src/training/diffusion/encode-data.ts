import { requireTextToImage } from '../../architectures/model-source';
import type { Experiment } from '../../experiment/experiment';
import { DType } from '../../graph/dtype';
import type { HostTensor } from '../../graph/tensor-infos';
import { picturesOf, type EncodedPicture, type PictureData } from '../../tasks/pictures/picture-example';
import { modelInputs, type LoadData, type TaskData } from '../../tasks/task-data';
import type { BaseModel } from '../task/adapted-model';
import type { LoadFor } from '../task/task';
import { encodePipeline } from './encode';
import type { EncodeOptions } from './encoded';
import { promptInputs } from './prompt-inputs';

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
