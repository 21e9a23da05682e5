import { dirname, join } from 'node:path';
import { isHubModel, MODEL_CONFIG } from '../files/model-path';
import type { Model } from '../graph/model';
import { vaeDecoder, vaeEncoder } from './families/diffusion/autoencoder';
import { pipelineText } from './families/images/clip-text';
import type { Family } from './family';
import { readConfig } from './folder/config';
import { openModel, openPart, type WeightForm } from './load';
import { compose } from './pipeline/compose';
import { requireOutputs } from './pipeline/outputs';
import { textInputs, vaeInputs } from './pipeline/onnx-inputs';
import type { Pipeline } from './pipeline/read';

export { readPipeline, type Pipeline, type PipelineClass, type TextEncoderPaths } from './pipeline/read';
export { requireTextToImage } from './pipeline/text-to-image';

/**
 * `sample` (batch, 3, height, width), from −1 to 1, to `latent_parameters` (batch, 2 · channels, …): mean and log-variance.
 *
 * @throws AuroraError where it cannot be used
 */
export const loadVaeEncoder = ({ vae }: Pick<Pipeline, 'vae'>): Model =>
  half(vae.encoder, vaeEncoder, ['latent_parameters']);

/** `latent_sample` to `sample`: the opposite. */
export const loadVaeDecoder = ({ vae }: Pick<Pipeline, 'vae'>): Model =>
  half(vae.decoder, vaeDecoder, ['sample']);

/**
 * `input_ids` (batch, tokens) to `last_hidden_state`, `hidden_states.N`, and `text_embeds` or `pooler_output`. It has
 * no mask: padding is read as any other token.
 *
 * @param i the index of the pipeline's encoder
 */
export const loadTextEncoder = ({ textEncoders }: Pick<Pipeline, 'textEncoders'>, i: number): Model =>
  loadTextEncoderAt(textEncoders[i].model);

/** The text encoder at a path. */
export const loadTextEncoderAt = (path: string): Model => textEncoder(path, 'float32');

/**
 * Text encoders and U-Net in one graph: `input_ids`, and `input_ids_2` of a second encoder, take the place of
 * `encoder_hidden_states` and `text_embeds`. The names of the encoders' modules begin with `text_encoder.` or
 * `text_encoder_2.`; those of the U-Net are bare.
 */
export const loadWithTextEncoders = (pipeline: Pipeline, form: WeightForm = 'float32'): Model =>
  compose(
    openModel(pipeline.folder, form),
    pipeline.textEncoders.map(({ name, model }) => ({ name, model: textEncoder(model, form) })),
    pipeline.isXl,
  );

function textEncoder(path: string, form: WeightForm): Model {
  const model = openPart(path, form, pipelineText);
  return isHubModel(path) ? model : requireOutputs(textInputs(model), path, ['last_hidden_state']);
}

function half(path: string, part: Family, outputs: readonly string[]): Model {
  const model = openPart(path, 'float32', part);
  if (isHubModel(path)) return model;
  const config = readConfig(join(dirname(path), MODEL_CONFIG));
  const channels = { pictures: config.count('in_channels', 3), latents: config.count('latent_channels', 4) };
  return requireOutputs(vaeInputs(model, channels), path, outputs);
}
