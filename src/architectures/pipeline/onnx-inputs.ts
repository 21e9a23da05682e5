import { inputExists } from '../../files/inputs/open';
import { GraphBuilder } from '../../graph/builder';
import { DType, type DTypeCode } from '../../graph/dtype';
import type { Dim, Model, Node } from '../../graph/model';
import { readConfig } from '../folder/config';
import { configOf, type ModelPart } from '../model-source';

/** Types and sizes of inputs, by name. */
type Inputs = Readonly<Record<string, { dtype?: DTypeCode; shape: Dim[] }>>;

/**
 * The inputs of a U-Net that Optimum exported, as those of a folder: with the sizes that only the config.json beside
 * the file states, and one name for each axis.
 */
export function unetInputs(model: Model, unet: ModelPart): Model {
  const file = configOf(unet);
  if (!inputExists(file, 'model-data')) return model;
  const config = readConfig(file);
  const { length } = config.counts('block_out_channels', [320, 640, 1280, 1280]);
  const [crossed] = config.countEach('cross_attention_dim', length, 1280);
  const context = config.has('encoder_hid_dim') ? config.count('encoder_hid_dim') : crossed;
  return declared(model, {
    sample: { shape: ['batch', config.count('in_channels', 4), 'height', 'width'] },
    timestep: { dtype: DType.int64, shape: ['batch'] },
    encoder_hidden_states: { shape: ['batch', 'sequence', context] },
    text_embeds: { shape: ['batch', 'text_size'] },
    time_ids: { shape: ['batch', 'ids'] },
  });
}

/** The inputs of a text encoder as those of a folder. */
export const textInputs = (model: Model): Model =>
  declared(model, { input_ids: { dtype: DType.int64, shape: ['batch', 'sequence'] } });

/** The inputs of the halves of an autoencoder as those of a folder. */
export const vaeInputs = (model: Model, channels: { pictures: number; latents: number }): Model =>
  declared(model, {
    sample: { shape: ['batch', channels.pictures, 'height', 'width'] },
    latent_sample: { shape: ['batch', channels.latents, 'height', 'width'] },
  });

/** Inputs with other types and shapes; the graph reads the former types, by a Cast. */
function declared(model: Model, inputs: Inputs): Model {
  const casts: Node[] = [];
  const g = new GraphBuilder(model.graph, '/inputs', casts);
  const names = new Map<string, string>();
  const known = model.graph.inputs.map((input) => {
    const wanted = Object.hasOwn(inputs, input.name) ? inputs[input.name] : undefined;
    // A scalar for all rows stays one.
    if (!wanted || input.shape?.length !== wanted.shape.length) return input;
    const { dtype = input.dtype, shape } = wanted;
    if (dtype !== input.dtype) names.set(input.name, g.op('Cast', [input.name], { to: input.dtype }));
    return { name: input.name, dtype, shape };
  });
  const nodes = model.graph.nodes.map((node) =>
    node.inputs.some((x) => names.has(x))
      ? { ...node, inputs: node.inputs.map((x) => names.get(x) ?? x) }
      : node,
  );
  return { ...model, graph: { ...model.graph, inputs: known, nodes: [...casts, ...nodes] } };
}
