import type { Model } from '../../graph/model';
import { readConfig } from '../folder/config';
import { configOf, type ModelPart, type Pipeline } from '../model-source';

/**
 * The U-Net of a pipeline with the size of its text embeddings, which its own config.json gives only together with the
 * number of time ids.
 */
export function withTextSize(model: Model, pipeline: Pipeline): Model {
  if (!model.graph.inputs.some((input) => input.name === 'time_ids')) return model;
  const settings = (part: ModelPart) => readConfig(configOf(part));
  const size = settings(pipeline.textEncoders.at(-1)!.model).count('projection_dim', 512);
  const unet = settings(pipeline.unet);
  const each = unet.count('addition_time_embed_dim');
  const ids = (unet.count('projection_class_embeddings_input_dim') - size) / each;
  if (!Number.isInteger(ids) || ids < 1)
    throw unet.unsupported('projection_class_embeddings_input_dim', [
      `${size}, the projection_dim of ${pipeline.textEncoders.at(-1)!.name}, and a multiple of ${each}`,
    ]);
  const inputs = model.graph.inputs.map((input) => {
    if (input.name === 'text_embeds') return { ...input, shape: ['batch', size] };
    return input.name === 'time_ids' ? { ...input, shape: ['batch', ids] } : input;
  });
  return { ...model, graph: { ...model.graph, inputs } };
}
