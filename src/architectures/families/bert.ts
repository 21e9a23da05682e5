import { activationOf } from '../blocks/activation';
import { attention, paddingBias, type AttentionShape } from '../blocks/attention';
import { layerNorm, linear } from '../blocks/layers';
import { POSITIONS, type Network } from '../blocks/network';
import {
  counted,
  embedding,
  flat,
  hiddenOutput,
  integers,
  textInputs,
  type TextInputs,
} from '../blocks/text';
import type { Family } from '../family';
import type { Config } from '../folder/config';
import { encoderSize } from './encoder-size';

/** Settings whose defaults differ between BERT and the models that are built like it. */
export interface BertDefaults {
  vocabulary: number;
  /** Place of each token in the table of positions: (sequence) or (batch, sequence). */
  positions(net: Network, inputs: TextInputs, config: Config): string;
  /** How many rows of that table come before the first token's. */
  offset(config: Config): number;
}

/** BERT and its relatives, as BertModel in transformers without its pooler. */
export const bertLike = (prefix: string, defaults: BertDefaults): Family => ({
  prefixes: [prefix],
  marker: 'embeddings.word_embeddings.weight',
  build: (net, config) => build(net, config, defaults),
});

/** transformers' BertConfig and modeling_bert.py. */
export const bert = bertLike('bert.', {
  vocabulary: 30522,
  positions: (net, { rows }) => counted(net, rows),
  offset: () => 0,
});

function build(net: Network, config: Config, { vocabulary, positions, offset }: BertDefaults): void {
  config.require('position_embedding_type', 'absolute');
  config.require('is_decoder', false);
  config.require('add_cross_attention', false);
  const { hidden, inner, layers, heads, width, epsilon } = encoderSize(config);
  const act = activationOf(config, 'hidden_act', 'gelu');
  const inputs = textInputs(net);
  const { ids, mask, rows } = inputs;

  const table = (name: string, at: string, count: number) =>
    embedding(net, `embeddings.${name}`, at, count, hidden);
  const words = table('word_embeddings', ids, config.count('vocab_size', vocabulary));
  const types = config.count('type_vocab_size', 2);
  // With one type there is nothing to say about a token, and tokenizers do not.
  const typeIds = types > 1 ? integers(net, 'token_type_ids') : net.g.constant(7, [1, 1], [0]);
  const typed = net.op('embeddings', 'Add', [words, table('token_type_embeddings', typeIds, types)]);
  const most = config.count('max_position_embeddings', 512);
  const places = table('position_embeddings', positions(net, inputs, config), most);
  net.metadata.set(POSITIONS, String(most - offset(config)));
  const sum = net.op('embeddings', 'Add', [typed, places]);
  let x = layerNorm(net, 'embeddings.LayerNorm', flat(net, sum, hidden), hidden, epsilon);

  const shape: AttentionShape = { heads, keyValueHeads: heads, width, rows, bias: paddingBias(net, mask) };
  const square = { from: hidden, to: hidden };
  for (let i = 0; i < layers; i++) {
    const at = `encoder.layer.${i}`;
    const project = (name: string) => linear(net, `${at}.attention.self.${name}`, x, square);
    const projections = { query: project('query'), key: project('key'), value: project('value') };
    const mixed = attention(net, `${at}.attention.self`, projections, shape);
    const attended = linear(net, `${at}.attention.output.dense`, mixed, square);
    const middle = net.op(`${at}.attention.output`, 'Add', [attended, x]);
    const y = layerNorm(net, `${at}.attention.output.LayerNorm`, middle, hidden, epsilon);
    const wide = linear(net, `${at}.intermediate.dense`, y, { from: hidden, to: inner });
    const active = act(net, `${at}.intermediate.intermediate_act_fn`, wide);
    const fed = linear(net, `${at}.output.dense`, active, { from: inner, to: hidden });
    const end = net.op(`${at}.output`, 'Add', [fed, y]);
    x = layerNorm(net, `${at}.output.LayerNorm`, end, hidden, epsilon);
  }
  hiddenOutput(net, x, rows, hidden);
}
