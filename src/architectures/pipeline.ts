import type { Model } from '../graph/model';
import { vaeDecoder, vaeEncoder } from './families/diffusion/autoencoder';
import { pipelineText } from './families/images/clip';
import type { Family } from './family';
import { readConfig } from './folder/config';
import { loadModelFrom, loadPart } from './load';
import { configOf, type ModelPart, type Pipeline } from './model-source';
import { compose } from './pipeline/compose';
import { requireOutputs } from './pipeline/outputs';
import { textInputs, vaeInputs } from './pipeline/onnx-inputs';

/**
 * `sample` (batch, 3, height, width), from −1 to 1, to `latent_parameters` (batch, 2 · channels, …): mean and log-variance.
 *
 * @throws AuroraError where it cannot be used
 */
export const loadVaeEncoder = (part: ModelPart): Model => half(part, vaeEncoder, ['latent_parameters']);

/** `latent_sample` to `sample`: the opposite. */
export const loadVaeDecoder = (part: ModelPart): Model => half(part, vaeDecoder, ['sample']);

/**
 * `input_ids` (batch, tokens) to `last_hidden_state`, `hidden_states.N`, and `text_embeds` or `pooler_output`. It has
 * no mask: padding is read as any other token.
 */
export function loadTextEncoder(part: ModelPart): Model {
  const model = loadPart(part, 'float32', pipelineText);
  return part.kind === 'hub' ? model : requireOutputs(textInputs(model), part.file, ['last_hidden_state']);
}

/**
 * Text encoders and U-Net in one graph: `input_ids`, and `input_ids_2` of a second encoder, take the place of
 * `encoder_hidden_states` and `text_embeds`. The names of the encoders' modules begin with `text_encoder.` or
 * `text_encoder_2.`; those of the U-Net are bare.
 */
export const loadWithTextEncoders = (pipeline: Pipeline): Model =>
  compose(
    loadModelFrom(pipeline),
    pipeline.textEncoders.map(({ name, model }) => ({ name, model: loadTextEncoder(model) })),
    pipeline.isXl,
  );

function half(part: ModelPart, family: Family, outputs: readonly string[]): Model {
  const model = loadPart(part, 'float32', family);
  if (part.kind === 'hub') return model;
  const config = readConfig(configOf(part));
  const channels = { pictures: config.count('in_channels', 3), latents: config.count('latent_channels', 4) };
  return requireOutputs(vaeInputs(model, channels), part.file, outputs);
}
