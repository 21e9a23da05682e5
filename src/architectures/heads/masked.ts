import { type Activation, activationOf, GELU } from '../blocks/activation';
import { layerNorm } from '../blocks/layers';
import { nomicSettings } from '../families/encoders/nomic-settings';
import type { Config } from '../folder/config';
import { type Features, hasParts, headLinear, type Hidden } from './hidden';

/**
 * Logits of tokens, (tokens, vocabulary), as the …ForMaskedLM classes of transformers compute them. Undefined if the folder
 * does not have the head's weights.
 */
export const maskedHead = (hidden: Hidden): Features | undefined => MASKED.get(hidden.type)?.(hidden);

type MaskedHead = (hidden: Hidden) => Features | undefined;

/** The last layer of a masked language model, which gives the logits. */
interface Vocabulary {
  /** The weight of an output layer that is not tied to the embedding. */
  decoder: string;
  embedding: string;
  /** True if the output layer has the embedding's weight. */
  tied: boolean;
  /** Names of its bias, of which the first that is stored counts; none for a model without one. */
  biases: string[];
  /** The module of a weight (features, vocabulary) for the features after those of an embedding. */
  beyond?: string;
}

/** The layers of a masked language model's head. */
interface MaskedNames extends Vocabulary {
  /** To as many features as the last layer reads. */
  dense: string;
  denseBias: boolean;
  norm: string;
  normBias: boolean;
  epsilon: number;
  activation: Activation;
}

/** A dense layer, its activation and norm, before the last layer: BertForMaskedLM and its relatives. */
const transformed =
  (namesOf: (config: Config) => MaskedNames): MaskedHead =>
  (hidden) => {
    const { net, config } = hidden;
    const names = namesOf(config);
    const { dense, norm, activation } = names;
    if (!hasParts(hidden, dense, names.denseBias) || !hasParts(hidden, norm, names.normBias))
      return undefined;
    if (!hasBias(hidden, names)) return undefined;
    const { x, size } = headLinear(hidden, dense, tokensOf(hidden, dense), names.denseBias);
    const act = activation(net, dense, x);
    const normed = layerNorm(net, norm, act, size, names.epsilon, { bias: names.normBias, fromTop: true });
    return logitsOf(hidden, dense, { x: normed, size }, names);
  };

/** (tokens, size). */
const tokensOf = ({ net, states, size }: Hidden, module: string): Features => ({
  x: net.op(module, 'Reshape', [states, net.g.ints([-1, size])]),
  size,
});

// Versions differ in the one of two tied biases that they store.
const biasOf = ({ net }: Hidden, { biases }: Vocabulary) =>
  biases.find((name) => net.weights.has(name, true));

const hasBias = (hidden: Hidden, names: Vocabulary): boolean =>
  names.biases.length === 0 || biasOf(hidden, names) !== undefined;

function logitsOf(hidden: Hidden, module: string, { x, size }: Features, names: Vocabulary): Features {
  const { net } = hidden;
  const { decoder, embedding, beyond } = names;
  const [vocabulary, own] = net.weights.dims(embedding)!;
  const width = beyond === undefined ? size : own;
  // Tied only in name if both are stored with other values, as in transformers 5.
  const tied = names.tied && !net.weights.isOther(decoder, embedding);
  const weight = tied
    ? net.weight(embedding, [vocabulary, width])
    : net.weight(decoder, [vocabulary, width], true);
  const bias = biasOf(hidden, names);
  const rest = bias === undefined ? [] : [net.weight(bias, [vocabulary], true)];
  if (beyond === undefined || size <= width)
    return { x: net.op(module, 'Gemm', [x, weight, ...rest], { transB: 1 }), size: vocabulary };
  const [first, others] = net.ops(module, 'Split', [x, net.g.ints([width, size - width])], { axis: -1 }, 2);
  const more = net.weight(`${beyond}.weight`, [size - width, vocabulary], true);
  const parts = [
    net.op(module, 'Gemm', [first, weight, ...rest], { transB: 1 }),
    net.op(module, 'MatMul', [others, more]),
  ];
  return { x: net.op(module, 'Add', parts), size: vocabulary };
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
    biases: [`${module}.decoder.bias`, `${module}.bias`],
    decoder: `${module}.decoder.weight`,
    embedding: EMBEDDING,
    tied: config.flag('tie_word_embeddings', true),
    ...parts,
  });

const predictions = {
  dense: 'cls.predictions.transform.dense',
  norm: 'cls.predictions.transform.LayerNorm',
};

const bert = below('cls.predictions', predictions);
const roberta = below('lm_head', { norm: 'lm_head.layer_norm', activation: GELU });
/** XLM-RoBERTa-XL, whose default epsilon is another one. */
const robertaXl = (config: Config): MaskedNames => ({
  ...roberta(config),
  epsilon: config.number('layer_norm_eps', 1e-5),
});

const electra = below('generator_predictions', {
  activation: GELU,
  biases: ['generator_lm_head.bias'],
  decoder: 'generator_lm_head.weight',
});

const albert = (config: Config): MaskedNames =>
  below('predictions', { activation: activationOf(config, 'hidden_act', 'gelu_new') })(config);

/** Two kinds, of which `legacy` chooses one. The other one always has the embedding's weight. */
const deberta = (config: Config): MaskedNames => {
  const epsilon = config.number('layer_norm_eps', 1e-7);
  const head = 'lm_predictions.lm_head';
  return config.flag('legacy', true)
    ? below('cls.predictions', { ...predictions, epsilon })(config)
    : below(head, { epsilon, tied: true, biases: [`${head}.bias`] })(config);
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
  tied: config.flag('tie_word_embeddings', true),
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
  tied: config.flag('tie_word_embeddings', true),
});

/** Its norm's name is another one than BERT's. In the remote code, one setting is for the biases of both layers. */
const nomic = (config: Config): MaskedNames => {
  const { remote, epsilon, headAct, biases } = nomicSettings(config);
  const head = 'cls.predictions';
  const isBiased = !remote || biases.up;
  return below(head, {
    dense: `${head}.transform.dense`,
    denseBias: isBiased,
    norm: `${head}.transform.layer_norm`,
    epsilon,
    activation: headAct,
    ...(!isBiased && { biases: [] }),
    ...(remote && { tied: true }),
  })(config);
};

/** The output layer is never tied: its features are not those of the embedding. */
const rembert = below('cls.predictions', { tied: false, biases: ['cls.predictions.decoder.bias'] });

/** An embedding has fewer features than the states, and a matrix has those for the others. */
const mobilebert = (config: Config): MaskedNames =>
  below('cls.predictions', {
    ...predictions,
    activation: activationOf(config, 'hidden_act', 'relu'),
    beyond: 'cls.predictions.dense',
  })(config);

/** EuroBertForMaskedLM: the output layer alone. */
const eurobert: MaskedHead = (hidden) => {
  const { net, config } = hidden;
  const head = 'lm_head';
  const tied = config.flag('tie_word_embeddings', false);
  const biases = config.flag('mlp_bias', false) ? [`${head}.bias`] : [];
  const names = { decoder: `${head}.weight`, embedding: 'embed_tokens.weight', tied, biases };
  if (!hasBias(hidden, names) || (!tied && !net.weights.has(names.decoder, true))) return undefined;
  return logitsOf(hidden, head, tokensOf(hidden, head), names);
};

/** Heads by `model_type`. */
const MASKED: ReadonlyMap<string, MaskedHead> = new Map([
  ['bert', transformed(bert)],
  ['roberta', transformed(roberta)],
  ['xlm-roberta', transformed(roberta)],
  ['camembert', transformed(roberta)],
  ['mpnet', transformed(roberta)],
  ['electra', transformed(electra)],
  ['albert', transformed(albert)],
  ['deberta', transformed(deberta)],
  ['deberta-v2', transformed(deberta)],
  ['distilbert', transformed(distilbert)],
  ['modernbert', transformed(modernbert)],
  ['nomic_bert', transformed(nomic)],
  ['eurobert', eurobert],
  ['roformer', transformed(bert)],
  ['ernie', transformed(bert)],
  ['rembert', transformed(rembert)],
  ['megatron-bert', transformed(bert)],
  ['mobilebert', transformed(mobilebert)],
  ['xlm-roberta-xl', transformed(robertaXl)],
  ['data2vec-text', transformed(roberta)],
]);
