import type { Pipeline } from '../architectures/model-source';
import type { LinearLayer } from '../graph/layers/linear';
import { readNoiseSchedule } from '../tasks/diffusion/noise-schedule';
import type { PictureData } from '../tasks/pictures/picture-example';
import type { Task } from '../training/task/task';

/** Rank and alpha of a layer. */
export interface LoraSize {
  rank: number;
  alpha: number;
}

/** Width of the text embeddings that Stable Diffusion 2 reads, from OpenCLIP's ViT-H. */
const OPEN_CLIP = 1024;

/** True if the U-Net is that of Stable Diffusion 2, among those that read one text encoder. */
export const isVersion2 = (layers: readonly LinearLayer[]): boolean =>
  layers.some(({ path, inFeatures }) => path.endsWith('.attn2.to_k') && inFeatures === OPEN_CLIP);

/**
 * The metadata by which programs list a LoRA and choose it for a model: those of kohya's sd-scripts (train_network.py; A1111
 * reads the base model's version in network.py), and ModelSpec's (sai_model_spec.py there).
 *
 * @param of the experiment's name, the file's without its ending, and the run's step
 * @param sizes of the adapted layers
 */
export function kohyaMetadata(
  { source, layers, spec, data }: Task,
  of: { name: string; output: string; step: number },
  sizes: readonly LoraSize[],
): Record<string, string> {
  const pipeline = source as Pipeline;
  const version = versionOf(pipeline, layers);
  const { resolution } = data as PictureData;
  const { instancePrompt } = spec.task;
  return {
    format: 'pt',
    ss_output_name: of.output,
    ss_base_model_version: version.base,
    ss_v2: version.isSecond ? 'True' : 'False',
    ss_network_module: 'networks.lora',
    ss_network_args: '{}',
    // "Dynamic" as resize_lora.py there writes it.
    ss_network_dim: common(sizes.map(({ rank }) => rank)),
    ss_network_alpha: common(sizes.map(({ alpha }) => alpha)),
    ss_resolution: `(${resolution}, ${resolution})`,
    ss_steps: String(of.step),
    ss_seed: String(spec.training.seed),
    'modelspec.sai_model_spec': '1.0.1',
    'modelspec.architecture': `${version.architecture}/lora`,
    'modelspec.implementation': version.implementation,
    'modelspec.title': of.name,
    'modelspec.resolution': `${resolution}x${resolution}`,
    'modelspec.prediction_type': version.predictsV ? 'v' : 'epsilon',
    ...(instancePrompt !== undefined && { 'modelspec.trigger_phrase': instancePrompt }),
  };
}

const common = (values: readonly number[]): string => {
  const [first, ...others] = new Set(values);
  return others.length === 0 ? String(first) : 'Dynamic';
};

function versionOf({ isXl, schedulerConfig }: Pipeline, layers: readonly LinearLayer[]) {
  const predictsV = readNoiseSchedule(schedulerConfig).predictionType === 'v_prediction';
  const isSecond = !isXl && isVersion2(layers);
  if (isXl)
    return {
      base: 'sdxl_base_v1-0',
      architecture: 'stable-diffusion-xl-v1-base',
      implementation: 'https://github.com/Stability-AI/generative-models',
      isSecond,
      predictsV,
    };
  return {
    base: `sd_v${isSecond ? 2 : 1}${predictsV ? '_v' : ''}`,
    architecture: isSecond ? `stable-diffusion-v2-${predictsV ? '768-v' : '512'}` : 'stable-diffusion-v1',
    implementation: 'diffusers',
    isSecond,
    predictsV,
  };
}
