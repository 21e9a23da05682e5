import { layerNorm } from '../blocks/layers';
import { hasParts, headLinear, type Features, type Hidden } from './hidden';
import { MASKED } from './masked-names';

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
