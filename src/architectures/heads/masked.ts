import { activationOf } from '../blocks/activation';
import { layerNorm } from '../blocks/layers';
import { headLinear, type Hidden } from './hidden';

/** Names in the head of a masked language model, and its activation. */
interface MaskedNames {
  dense: string;
  norm: string;
  bias: string;
  /** Of an output layer that is not tied to the embedding. */
  decoder: string;
  activation: { key: string; missing: string } | 'gelu';
  epsilon?: number;
}

const roberta: MaskedNames = {
  dense: 'lm_head.dense',
  norm: 'lm_head.layer_norm',
  bias: 'lm_head.bias',
  decoder: 'lm_head.decoder.weight',
  activation: 'gelu',
};

const NAMES: ReadonlyMap<string, MaskedNames> = new Map([
  [
    'bert',
    {
      dense: 'cls.predictions.transform.dense',
      norm: 'cls.predictions.transform.LayerNorm',
      bias: 'cls.predictions.bias',
      decoder: 'cls.predictions.decoder.weight',
      activation: { key: 'hidden_act', missing: 'gelu' },
    },
  ],
  ['roberta', roberta],
  ['xlm-roberta', roberta],
  ['camembert', roberta],
  ['mpnet', roberta],
  [
    'distilbert',
    {
      dense: 'vocab_transform',
      norm: 'vocab_layer_norm',
      bias: 'vocab_projector.bias',
      decoder: 'vocab_projector.weight',
      activation: { key: 'activation', missing: 'gelu' },
      epsilon: 1e-12,
    },
  ],
]);

const EMBEDDING = 'embeddings.word_embeddings.weight';

/**
 * Logits of tokens, (tokens, vocabulary): a dense layer, its activation and norm, and the embedding's weight, unless the
 * model is not tied. As BertForMaskedLM, RobertaForMaskedLM and DistilBertForMaskedLM in transformers.
 */
export function maskedHead(hidden: Hidden): string | undefined {
  const { net, config, type, states, size } = hidden;
  const names = NAMES.get(type);
  if (!names) return undefined;
  const needed = [...[names.dense, names.norm].flatMap((m) => [`${m}.weight`, `${m}.bias`]), names.bias];
  if (!needed.every((name) => net.weights.has(name, true))) return undefined;
  const { dense, norm, activation, epsilon = config.number('layer_norm_eps', 1e-12) } = names;
  const flat = net.op(dense, 'Reshape', [states, net.g.ints([-1, size])]);
  const x = headLinear(hidden, dense, flat, size);
  const act =
    activation === 'gelu'
      ? net.op(dense, 'Gelu', [x], { approximate: 'none' })
      : activationOf(config, activation.key, activation.missing)(net, dense, x);
  const normed = layerNorm(net, norm, act, size, epsilon, { fromTop: true });
  const [vocabulary] = net.weights.dims(EMBEDDING)!;
  const dims = [vocabulary, size];
  const weight = config.flag('tie_word_embeddings', true)
    ? net.weight(EMBEDDING, dims)
    : net.weight(names.decoder, dims, true);
  return net.op(dense, 'Gemm', [normed, weight, net.weight(names.bias, [vocabulary], true)], { transB: 1 });
}
