import { requireTextToImage } from '../../architectures/model-source';
import { DType } from '../../graph/dtype';
import type { HostTensor } from '../../graph/tensor-infos';
import { elementCount } from '../../graph/model';
import { picturesOf, type EncodedPicture } from '../../tasks/pictures/picture-example';
import { modelInputs, type TaskData } from '../../tasks/task-data';
import type { BaseModel } from '../task/adapted-model';
import { isPictureData } from './encode-data';

/** Tokens of a prompt, which CLIP's tokenizers pad to. */
const TOKENS = 77;
const LATENT_INPUTS = ['sample', 'timestep'];

/**
 * Sets `encoded` of each example without any encoder: time and memory of a step do not depend on the values, and encoders take
 * long. Does nothing for another task's data.
 *
 * @throws AuroraError as `requireTextToImage`
 */
export function standInsFor({ source, model }: BaseModel, data: TaskData): void {
  if (!isPictureData(data)) return;
  const { scalingFactor, shiftFactor, factor } = requireTextToImage(source).vae;
  const inputs = modelInputs(model);
  const channels = inputs.find(({ name }) => name === 'sample')!.shape![1] as number;
  const side = data.resolution / factor;
  const encoded: EncodedPicture = {
    latents: zeros(DType.float, [2 * channels, side, side]),
    scalingFactor,
    shiftFactor,
    inputs: Object.fromEntries(
      inputs
        .filter(({ name }) => !LATENT_INPUTS.includes(name))
        .map(({ name, dtype, shape }) => [
          name,
          zeros(
            dtype,
            shape!.slice(1).map((d) => (typeof d === 'number' ? d : TOKENS)),
          ),
        ]),
    ),
  };
  for (const picture of picturesOf(data)) picture.encoded = encoded;
}

const zeros = (dtype: number, dims: number[]): HostTensor => ({
  dtype,
  dims,
  data: dtype === DType.float ? new Float32Array(elementCount(dims)) : new BigInt64Array(elementCount(dims)),
});
