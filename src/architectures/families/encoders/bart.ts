import { activationOf } from '../../blocks/activation';
import { paddingBias } from '../../blocks/attention';
import { type EncoderLayer, postNormLayer, preNormLayer } from '../../blocks/encoder-layer';
import { layerNorm } from '../../blocks/layers';
import { type Network, POSITIONS } from '../../blocks/network';
import { counted, embedding, flat, hiddenOutput, textInputs } from '../../blocks/text';
import { DType } from '../../../graph/dtype';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { headWidth } from '../../settings';

const NAMES = {
  hidden_size: 'd_model',
  num_attention_heads: 'encoder_attention_heads',
  num_hidden_layers: 'encoder_layers',
};

/** The epsilon of all its norms, which is not a setting. */
const EPSILON = 1e-5;

/** The first row of its table of positions that a token has. */
const FIRST = 2;

/** The place of the norms, and their last one, in which BART and mBART differ. */
interface Norms {
  layer: typeof postNormLayer | typeof preNormLayer;
  last: boolean;
}

const bartLike = (norms: Norms): Family => ({
  prefixes: ['model.'],
  marker: 'encoder.layernorm_embedding.weight',
  build: (net, config) => build(net, config, norms),
});

/** The encoder of BartModel in transformers (modeling_bart.py); the decoder beside it is not used. */
export const bart = bartLike({ layer: postNormLayer, last: false });

/** The encoder of MBartModel (modeling_mbart.py). */
export const mbart = bartLike({ layer: preNormLayer, last: true });

function build(net: Network, given: Config, norms: Norms): void {
  const config = given.renamed(NAMES);
  const hidden = config.count('d_model', 1024);
  const heads = config.count('encoder_attention_heads', 16);
  const layers = config.layers('encoder_layers', 12);
  const { mask, rows, ids } = textInputs(net);
  const layer: EncoderLayer = {
    size: { hidden, inner: config.count('encoder_ffn_dim', 4096), epsilon: EPSILON },
    shape: {
      heads,
      keyValueHeads: heads,
      width: headWidth(config, hidden, heads),
      rows,
      bias: paddingBias(net, mask),
    },
    act: activationOf(config, 'activation_function', 'gelu'),
  };
  const sum = net.op('encoder', 'Add', [words(net, config, ids, hidden), places(net, config, rows, hidden)]);
  const norm = (name: string, y: string) => layerNorm(net, `encoder.${name}`, y, hidden, EPSILON);
  let x = norm('layernorm_embedding', flat(net, sum, hidden));
  for (let i = 0; i < layers; i++) x = norms.layer(net, x, modulesOf(`encoder.layers.${i}`), layer);
  hiddenOutput(net, norms.last ? norm('layer_norm', x) : x, rows, hidden);
}

/** Encoder and decoder share a table. An encoder's own comes first: it is the same, or they are not tied. */
function words(net: Network, config: Config, ids: string, hidden: number): string {
  const own = 'encoder.embed_tokens';
  const isStored = net.weights.has(`${own}.weight`);
  // transformers 5 would draw the encoder's at random.
  if (!isStored) config.require('tie_word_embeddings', true);
  const table = isStored ? own : 'shared';
  const x = embedding(net, table, ids, config.count('vocab_size', 50265), hidden);
  return config.flag('scale_embedding', false) ? net.op(own, 'Mul', [x, net.float(Math.sqrt(hidden))]) : x;
}

function places(net: Network, config: Config, rows: string, hidden: number): string {
  const at = 'encoder.embed_positions';
  const most = config.count('max_position_embeddings', 1024);
  net.metadata.set(POSITIONS, String(most));
  const first = net.g.scalar(FIRST, DType.int64);
  return embedding(net, at, net.op(at, 'Add', [counted(net, rows), first]), most + FIRST, hidden);
}

const modulesOf = (at: string) => ({
  attention: `${at}.self_attn`,
  query: `${at}.self_attn.q_proj`,
  key: `${at}.self_attn.k_proj`,
  value: `${at}.self_attn.v_proj`,
  output: `${at}.self_attn.out_proj`,
  attentionNorm: `${at}.self_attn_layer_norm`,
  up: `${at}.fc1`,
  activation: `${at}.activation_fn`,
  down: `${at}.fc2`,
  norm: `${at}.final_layer_norm`,
});
