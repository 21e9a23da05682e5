import { type Activation, activationOf, GELU } from '../blocks/activation';
import { layerNorm } from '../blocks/layers';
import type { Config } from '../folder/config';
import { type Features, hasParts, headLinear, type Hidden } from './hidden';

/**
 * Logits of tokens, (tokens, vocabulary): a dense layer, its activation and norm, and the embedding's weight, unless the
 * model is not tied. As BertForMaskedLM and its relatives in transformers.
 */
export function maskedHead(hidden: Hidden): Features | undefined {
  const { net, config, type, states, size } = hidden;
  const names = MASKED.get(type)?.(config);
  if (!names) return undefined;
  const { dense, norm, activation, embedding } = names;
  if (!hasParts(hidden, dense, names.denseBias) || !hasParts(hidden, norm, names.normBias)) return undefined;
  // Versions differ in the one of two tied biases that they store.
  const bias = names.biases.find((name) => net.weights.has(name, true));
  if (names.biases.length > 0 && bias === undefined) return undefined;
  const rows = net.op(dense, 'Reshape', [states, net.g.ints([-1, size])]);
  const { x, size: width } = headLinear(hidden, dense, { x: rows, size }, names.denseBias);
  const act = activation(net, dense, x);
  const normed = layerNorm(net, norm, act, width, names.epsilon, { bias: names.normBias, fromTop: true });
  const [vocabulary] = net.weights.dims(embedding)!;
  const dims = [vocabulary, width];
  const weight = config.flag('tie_word_embeddings', true)
    ? net.weight(embedding, dims)
    : net.weight(names.decoder, dims, true);
  const inputs = [normed, weight, ...(bias === undefined ? [] : [net.weight(bias, [vocabulary], true)])];
  return { x: net.op(dense, 'Gemm', inputs, { transB: 1 }), size: vocabulary };
}

/** The head of a masked language model. */
interface MaskedNames {
  /** To as many features as an embedding has. */
  dense: string;
  denseBias: boolean;
  norm: string;
  normBias: boolean;
  epsilon: number;
  activation: Activation;
  /** Names of the vocabulary's bias, of which one is stored; none for a model without one. */
  biases: string[];
  /** The weight of an output layer that is not tied to the embedding. */
  decoder: string;
  embedding: string;
}

const EMBEDDING = 'embeddings.word_embeddings.weight';

/** A head whose layers are all below one module, with a separate bias for the vocabulary. */
const below =
  (module: string, parts: Partial<MaskedNames>) =>
  (config: Config): MaskedNames => ({
    dense: `${module}.dense`,
    denseBias: true,
    norm: `${module}.LayerNorm`,
    normBias: true,
    epsilon: config.number('layer_norm_eps', 1e-12),
    activation: activationOf(config, 'hidden_act', 'gelu'),
    biases: [`${module}.bias`, `${module}.decoder.bias`],
    decoder: `${module}.decoder.weight`,
    embedding: EMBEDDING,
    ...parts,
  });

const predictions = {
  dense: 'cls.predictions.transform.dense',
  norm: 'cls.predictions.transform.LayerNorm',
};

const bert = below('cls.predictions', predictions);
const roberta = below('lm_head', { norm: 'lm_head.layer_norm', activation: GELU });

const electra = below('generator_predictions', {
  activation: GELU,
  biases: ['generator_lm_head.bias'],
  decoder: 'generator_lm_head.weight',
});

const albert = (config: Config): MaskedNames =>
  below('predictions', { activation: activationOf(config, 'hidden_act', 'gelu_new') })(config);

/** Two kinds, of which `legacy` chooses one. */
const deberta = (config: Config): MaskedNames => {
  const epsilon = config.number('layer_norm_eps', 1e-7);
  return config.flag('legacy', true)
    ? below('cls.predictions', { ...predictions, epsilon })(config)
    : below('lm_predictions.lm_head', { epsilon })(config);
};

const distilbert = (config: Config): MaskedNames => ({
  dense: 'vocab_transform',
  denseBias: true,
  norm: 'vocab_layer_norm',
  normBias: true,
  epsilon: 1e-12,
  activation: activationOf(config, 'activation', 'gelu'),
  biases: ['vocab_projector.bias'],
  decoder: 'vocab_projector.weight',
  embedding: EMBEDDING,
});

const modernbert = (config: Config): MaskedNames => ({
  dense: 'head.dense',
  denseBias: config.flag('classifier_bias', false),
  norm: 'head.norm',
  normBias: config.flag('norm_bias', false),
  epsilon: config.number('norm_eps', 1e-5),
  activation: activationOf(config, 'classifier_activation', 'gelu'),
  biases: config.flag('decoder_bias', true) ? ['decoder.bias'] : [],
  decoder: 'decoder.weight',
  embedding: 'embeddings.tok_embeddings.weight',
});

/** Names by `model_type`: as the …ForMaskedLM classes of transformers have them. */
const MASKED: ReadonlyMap<string, (config: Config) => MaskedNames> = new Map([
  ['bert', bert],
  ['roberta', roberta],
  ['xlm-roberta', roberta],
  ['camembert', roberta],
  ['mpnet', roberta],
  ['electra', electra],
  ['albert', albert],
  ['deberta-v2', deberta],
  ['distilbert', distilbert],
  ['modernbert', modernbert],
]);
