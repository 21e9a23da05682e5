import { DType } from '../../../graph/dtype';
import { causalBias } from '../../blocks/attention';
import { clipLayers } from '../../blocks/clip-layers';
import { layerNorm } from '../../blocks/layers';
import { type Network, POSITIONS } from '../../blocks/network';
import { patches, patchTokens } from '../../blocks/patches';
import { counted, embedding, flat, hiddenOutput, inRows, integers } from '../../blocks/text';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { BASE_SIZE, encoderSize } from '../../settings';
import { twoModels } from './two-models';

const IMAGES = 'vision_model';
/** For a config.json without `hidden_act`. */
const ACTIVATION = 'quick_gelu';

/** CLIPVisionModel in transformers, without the norm of its pooled state. */
export const clipVision: Family = {
  prefixes: [''],
  marker: `${IMAGES}.embeddings.class_embedding`,
  outer: `${IMAGES}.`,
  build: (net, config) => buildVision(net, config),
};

/** A text model and an image model in one; a classifier of images has only the latter. */
export const clip: Family = {
  prefixes: [''],
  marker: `${IMAGES}.embeddings.class_embedding`,
  build(net, config) {
    if (!config.isFor('ForImageClassification'))
      throw twoModels(config, 'a text model and an image model', [
        ['vision_config', 'clip_vision_model'],
        ['text_config', 'clip_text_model'],
      ]);
    // If both are there, transformers prefers the older name.
    buildVision(net, config.section('vision_config_dict') ?? config.section('vision_config') ?? config);
  },
};

function buildVision(net: Network, config: Config): void {
  const size = encoderSize(config, { ...BASE_SIZE, epsilon: 1e-5 });
  const { hidden, heads, width, epsilon } = size;
  const at = `${IMAGES}.embeddings`;
  const cut = patches(net, config, { module: `${at}.patch_embedding`, hidden, patch: 32, bias: false });
  const token = net.weight(`${at}.class_embedding`, [hidden]);
  const table = net.weight(`${at}.position_embedding.weight`, [cut.count + 1, hidden]);
  const { x: embedded, rows } = patchTokens(net, cut, hidden, [token], table);
  const x = layerNorm(net, `${IMAGES}.pre_layrnorm`, embedded, hidden, epsilon);
  const shape = { heads, keyValueHeads: heads, width, rows };
  hiddenOutput(
    net,
    clipLayers(net, config, `${IMAGES}.encoder`, x, { size, shape, act: ACTIVATION }),
    rows,
    hidden,
  );
}

const TEXT = 'text_model';
/** The projection's weight in the class that has one. */
const PROJECTION = 'text_projection.weight';

const family = (build: Family['build']): Family => ({
  prefixes: [''],
  marker: `${TEXT}.embeddings.token_embedding.weight`,
  outer: `${TEXT}.`,
  build,
});

/**
 * CLIPTextModel in transformers (modeling_clip.py), and the projected state of a text if its class has a projection.
 */
export const clipText: Family = family((net, config) => {
  const ids = integers(net, 'input_ids');
  const mask = integers(net, 'attention_mask');
  const text = states(net, config, ids, mask);
  hiddenOutput(net, text.last, text.rows, text.hidden);
  if (isProjected(net, config)) projected(net, config, ids, text);
});

/**
 * The text model as a part of a pipeline, which gives no mask: with the states before and after each layer, and the
 * state of the whole text, under the names of Optimum's exports.
 */
export const pipelineText: Family = family((net, config) => {
  const ids = integers(net, 'input_ids');
  const axes = ['batch', 'sequence'];
  const outputs: [string, string][] = [];
  const text = states(net, config, ids, undefined, (i, x) => outputs.push([`hidden_states.${i}`, x]));
  hiddenOutput(net, text.last, text.rows, text.hidden);
  for (const [name, x] of outputs)
    net.output(name, inRows(net, x, text.rows, text.hidden), [...axes, text.hidden]);
  if (isProjected(net, config)) projected(net, config, ids, text);
  else net.output('pooler_output', pooled(net, config, ids, text), ['batch', text.hidden]);
});

const isProjected = (net: Network, config: Config): boolean =>
  config.isFor('CLIPTextModelWithProjection') && net.weights.has(PROJECTION);

interface States {
  /** Normed states (tokens, hidden) of the last layer. */
  last: string;
  /** A vector tensor: (batch, sequence). */
  rows: string;
  /** int64 (sequence) */
  places: string;
  hidden: number;
}

/** @param of is given the states (tokens, hidden) before each layer, and after the last one */
function states(
  net: Network,
  config: Config,
  ids: string,
  mask: string | undefined,
  of: (i: number, x: string) => void = () => undefined,
): States {
  config.require('is_causal', true);
  const size = encoderSize(config, { hidden: 512, inner: 2048, layers: 12, heads: 8, epsilon: 1e-5 });
  const { hidden, heads, width, epsilon } = size;
  const rows = net.op('', 'Shape', [ids]);
  const places = counted(net, rows);
  const table = (name: string, at: string, count: number) =>
    embedding(net, `${TEXT}.embeddings.${name}`, at, count, hidden);
  const words = table('token_embedding', ids, config.count('vocab_size', 49408));
  const most = config.count('max_position_embeddings', 77);
  net.metadata.set(POSITIONS, String(most));
  const sum = net.op(`${TEXT}.embeddings`, 'Add', [words, table('position_embedding', places, most)]);
  const bias = causalBias(net, mask, places);
  const shape = { heads, keyValueHeads: heads, width, rows, bias };
  const x = clipLayers(
    net,
    config,
    `${TEXT}.encoder`,
    flat(net, sum, hidden),
    { size, shape, act: ACTIVATION },
    of,
  );
  of(size.layers, x);
  const last = layerNorm(net, `${TEXT}.final_layer_norm`, x, hidden, epsilon);
  return { last, rows, places, hidden };
}

function projected(net: Network, config: Config, ids: string, text: States): void {
  const size = config.count('projection_dim', 512);
  const weight = net.weight(PROJECTION, [size, text.hidden]);
  const embeds = net.op('text_projection', 'Gemm', [pooled(net, config, ids, text), weight], { transB: 1 });
  net.output('text_embeds', embeds, ['batch', size]);
}

/** The eos_token_id in files where it was wrong: there, the token with the highest id ends a text. */
const LEGACY_END = 2;

/**
 * The state of the first token that ends a text: (batch, hidden). It is a product with zeros and a one, whose gradient
 * is a product, too.
 */
function pooled(net: Network, config: Config, ids: string, { last, rows, places, hidden }: States): string {
  const at = TEXT;
  const end = config.index('eos_token_id', 49407);
  const wanted = end === LEGACY_END ? ids : net.op(at, 'Equal', [ids, net.g.scalar(end, DType.int64)]);
  const first = net.op(at, 'ArgMax', [net.op(at, 'Cast', [wanted], { to: DType.float })], { axis: 1 });
  const isFirst = net.op(at, 'Equal', [net.op(at, 'Unsqueeze', [places, net.g.ints([0])]), first]);
  const ones = net.op(at, 'Unsqueeze', [net.op(at, 'Cast', [isFirst], { to: DType.float }), net.g.ints([1])]);
  const picked = net.op(at, 'MatMul', [ones, inRows(net, last, rows, hidden)]);
  return net.op(at, 'Squeeze', [picked, net.g.ints([1])]);
}
