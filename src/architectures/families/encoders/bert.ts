import { activationOf } from '../../blocks/activation';
import { type AttentionOptions, paddingBias } from '../../blocks/attention';
import { bertEmbeddings, type BertEmbeddings } from '../../blocks/bert-embeddings';
import { type EncoderLayer, postNormLayer } from '../../blocks/encoder-layer';
import { linear } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { hiddenOutput, textInputs, type TextInputs } from '../../blocks/text';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { BASE_SIZE, type EncoderDefaults, encoderSize, type EncoderSize } from '../../settings';

/** The differences between BERT and the models that are built like it. */
export interface BertVariant {
  sizes: EncoderDefaults;
  embeddings(config: Config): BertEmbeddings;
  /** Size of embeddings; that of hidden states by default. */
  embeddingSize?(config: Config): number;
}

/** BERT and its relatives, as BertModel in transformers without its pooler. */
const bertLike = (prefix: string, variant: BertVariant): Family => ({
  prefixes: [prefix],
  marker: 'embeddings.word_embeddings.weight',
  build: (net, config) => build(net, config, variant),
});

const embeddings = () => ({ vocabulary: 30522, types: 2, first: 0, skipsPadding: false });

/** transformers' BertConfig and modeling_bert.py. */
export const bert = bertLike('bert.', { sizes: BASE_SIZE, embeddings });

/** transformers' ElectraConfig and modeling_electra.py: generators and discriminators. */
export const electra = bertLike('electra.', {
  sizes: { ...BASE_SIZE, hidden: 256, heads: 4, inner: 1024 },
  embeddings,
  embeddingSize: (config) => config.count('embedding_size', 128),
});

function build(net: Network, config: Config, variant: BertVariant): void {
  requireEncoder(config);
  const sizes = encoderSize(config, variant.sizes);
  const { hidden, epsilon } = sizes;
  const size = variant.embeddingSize?.(config) ?? hidden;
  const inputs = textInputs(net);
  let x = bertEmbeddings(net, config, inputs, { size, epsilon }, variant.embeddings(config));
  if (size !== hidden) x = linear(net, 'embeddings_project', x, { from: size, to: hidden });
  bertLayers(net, config, x, inputs, sizes);
}

/**
 * BERT's layers on embedded tokens (tokens, hidden), whose result is the output last_hidden_state.
 *
 * @param options of all attentions
 */
export function bertLayers(
  net: Network,
  config: Config,
  embedded: string,
  { mask, rows }: TextInputs,
  { hidden, inner, layers, heads, width, epsilon }: EncoderSize,
  options?: AttentionOptions,
): void {
  const layer: EncoderLayer = {
    size: { hidden, inner, epsilon },
    shape: { heads, keyValueHeads: heads, width, rows, bias: paddingBias(net, mask) },
    act: activationOf(config, 'hidden_act', 'gelu'),
    options,
  };
  let x = embedded;
  for (let i = 0; i < layers; i++) x = postNormLayer(net, x, bertModules(`encoder.layer.${i}`), layer);
  hiddenOutput(net, x, rows, hidden);
}

/** Refuses settings that make a decoder of BERT or one of its relatives, and positions other than those of a table. */
export function requireEncoder(config: Config): void {
  config.require('position_embedding_type', 'absolute');
  config.require('is_decoder', false);
  config.require('add_cross_attention', false);
}

/** The modules of a layer in BERT and models that are built like it. */
export const bertModules = (at: string) => ({
  attention: `${at}.attention.self`,
  query: `${at}.attention.self.query`,
  key: `${at}.attention.self.key`,
  value: `${at}.attention.self.value`,
  output: `${at}.attention.output.dense`,
  attentionNorm: `${at}.attention.output.LayerNorm`,
  up: `${at}.intermediate.dense`,
  activation: `${at}.intermediate.intermediate_act_fn`,
  down: `${at}.output.dense`,
  norm: `${at}.output.LayerNorm`,
});

/**
 * RoBERTa and its relatives: BERT whose positions begin after the padding id and leave out padding tokens
 * (create_position_ids_from_input_ids in transformers' modeling_roberta.py).
 */
const robertaLike = (prefix: string, vocabulary: number) =>
  bertLike(prefix, {
    sizes: BASE_SIZE,
    embeddings: (config) => ({ vocabulary, types: 2, ...afterPadding(config) }),
  });

/** Positions that begin after the padding id and leave out padding tokens. */
export const afterPadding = (config: Config) => ({
  first: config.index('pad_token_id', 1) + 1,
  skipsPadding: true,
});

export const roberta = robertaLike('roberta.', 50265);

/** XLM-RoBERTa and CamemBERT. */
export const xlmRoberta = robertaLike('roberta.', 30522);

/** transformers' Data2VecTextConfig and modeling_data2vec_text.py. */
export const data2vecText = robertaLike('data2vec_text.', 30522);
