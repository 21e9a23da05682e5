import { activationOf } from '../../blocks/activation';
import { paddingBias } from '../../blocks/attention';
import { type BertEmbeddings, embeddingSum } from '../../blocks/bert-embeddings';
import { type EncoderLayer, type LayerModules, preNormLayer } from '../../blocks/encoder-layer';
import { layerNorm } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { flat, hiddenOutput, textInputs } from '../../blocks/text';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { type EncoderDefaults, encoderSize } from '../../settings';
import { afterPadding, bertModules, requireEncoder } from './bert';

/** The differences between BERTs with each norm before its part. */
interface PreNormVariant {
  sizes: EncoderDefaults;
  embeddings(config: Config): BertEmbeddings;
  /** The norms' names in a layer. */
  norms(layer: string): Pick<LayerModules, 'attentionNorm' | 'norm'>;
  /** The norm after the last layer, in place of that of the embeddings. */
  last: string;
}

const preNormBert = (prefix: string, variant: PreNormVariant): Family => ({
  prefixes: [prefix],
  marker: 'embeddings.word_embeddings.weight',
  build: (net, config) => build(net, config, variant),
});

/** transformers' MegatronBertConfig and modeling_megatron_bert.py. */
export const megatronBert = preNormBert('bert.', {
  sizes: { hidden: 1024, inner: 4096, layers: 24, heads: 16, epsilon: 1e-12 },
  embeddings: () => ({ vocabulary: 29056, types: 2, first: 0 }),
  norms: (at) => ({ attentionNorm: `${at}.attention.ln`, norm: `${at}.ln` }),
  last: 'encoder.ln',
});

/** transformers' XLMRobertaXLConfig and modeling_xlm_roberta_xl.py. */
export const xlmRobertaXl = preNormBert('roberta.', {
  sizes: { hidden: 2560, inner: 10240, layers: 36, heads: 32, epsilon: 1e-5 },
  embeddings: (config) => ({ vocabulary: 250880, types: 1, positions: 514, ...afterPadding(config) }),
  norms: (at) => ({ attentionNorm: `${at}.attention.self_attn_layer_norm`, norm: `${at}.LayerNorm` }),
  last: 'encoder.LayerNorm',
});

function build(net: Network, config: Config, { sizes, embeddings, norms, last }: PreNormVariant): void {
  requireEncoder(config);
  const { hidden, inner, layers, heads, width, epsilon } = encoderSize(config, sizes);
  const inputs = textInputs(net);
  const { mask, rows } = inputs;
  let x = flat(net, embeddingSum(net, config, inputs, hidden, embeddings(config)), hidden);
  const layer: EncoderLayer = {
    size: { hidden, inner, epsilon },
    shape: { heads, keyValueHeads: heads, width, rows, bias: paddingBias(net, mask) },
    act: activationOf(config, 'hidden_act', 'gelu'),
  };
  for (let i = 0; i < layers; i++) {
    const at = `encoder.layer.${i}`;
    x = preNormLayer(net, x, { ...bertModules(at), ...norms(at) }, layer);
  }
  hiddenOutput(net, layerNorm(net, last, x, hidden, epsilon), rows, hidden);
}
