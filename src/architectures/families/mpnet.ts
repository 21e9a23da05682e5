import { DType } from '../../graph/dtype';
import { activationOf } from '../blocks/activation';
import { paddingBias } from '../blocks/attention';
import { postNormLayer, type EncoderLayer } from '../blocks/encoder-layer';
import type { Network } from '../blocks/network';
import { counted, embedding, hiddenOutput, textInputs } from '../blocks/text';
import type { Family } from '../family';
import type { Config } from '../folder/config';
import { bertEmbeddings } from './bert-embeddings';
import { BASE_SIZE, encoderSize } from './encoder-size';

/** Whatever config.json says: the encoder of transformers does not pass its setting on. */
const BUCKETS = 32;
/** From this distance on, all tokens are in the last bucket. */
const FURTHEST = 128;

/** MPNetModel in transformers (modeling_mpnet.py) without its pooler. Its padding id is always 1. */
export const mpnet: Family = {
  prefixes: ['mpnet.'],
  marker: 'embeddings.word_embeddings.weight',
  build(net, config) {
    const { hidden, inner, layers, heads, width, epsilon } = encoderSize(config, BASE_SIZE);
    const inputs = textInputs(net);
    const { mask, rows } = inputs;
    const own = { vocabulary: 30527, types: 0, first: 2, skipsPadding: true };
    let x = bertEmbeddings(net, config, inputs, { size: hidden, epsilon }, own);
    const near = distanceBias(net, config, rows, heads);
    const layer: EncoderLayer = {
      size: { hidden, inner, epsilon },
      shape: {
        heads,
        keyValueHeads: heads,
        width,
        rows,
        bias: net.op('', 'Add', [near, paddingBias(net, mask)]),
      },
      act: activationOf(config, 'hidden_act', 'gelu'),
    };
    for (let i = 0; i < layers; i++) x = postNormLayer(net, x, modulesOf(`encoder.layer.${i}`), layer);
    hiddenOutput(net, x, rows, hidden);
  },
};

/** What each head adds to the scores of two tokens, by how far the key is from the query: (1, heads, sequence, sequence). */
function distanceBias(net: Network, config: Config, rows: string, heads: number): string {
  const at = 'encoder.relative_attention_bias';
  const most = config.count('max_position_embeddings', 512);
  const places = counted(net, rows);
  const before = net.op(at, 'Sub', [places, net.op(at, 'Unsqueeze', [places, net.g.ints([1])])]);
  const distances = Array.from({ length: 2 * most - 1 }, (_, i) => bucketOf(i - (most - 1)));
  const table = net.g.constant(DType.int64, [distances.length], distances);
  const index = net.op(at, 'Add', [before, net.g.scalar(most - 1, DType.int64)]);
  const buckets = net.op(at, 'Gather', [table, index]);
  const rowCount = config.count('relative_attention_num_buckets', BUCKETS);
  const values = embedding(net, at, buckets, rowCount, heads);
  return net.op(at, 'Unsqueeze', [net.op(at, 'Transpose', [values], { perm: [2, 0, 1] }), net.g.ints([0])]);
}

/** Of a key so many tokens after its query, as in T5: near ones have their own, further ones share. */
function bucketOf(after: number): number {
  const half = BUCKETS / 2;
  const exact = half / 2;
  const distance = Math.abs(after);
  const far = exact + Math.floor((Math.log(distance / exact) / Math.log(FURTHEST / exact)) * (half - exact));
  return (after > 0 ? half : 0) + (distance < exact ? distance : Math.min(far, half - 1));
}

const modulesOf = (at: string) => ({
  attention: `${at}.attention.attn`,
  query: `${at}.attention.attn.q`,
  key: `${at}.attention.attn.k`,
  value: `${at}.attention.attn.v`,
  output: `${at}.attention.attn.o`,
  attentionNorm: `${at}.attention.LayerNorm`,
  up: `${at}.intermediate.dense`,
  activation: `${at}.intermediate.intermediate_act_fn`,
  down: `${at}.output.dense`,
  norm: `${at}.output.LayerNorm`,
});
