import { activationOf, type Activation } from '../../blocks/activation';
import type { Config } from '../../folder/config';
import { chosenBiases, llamaLike } from './llama';

/**
 * hidden_activation, which older files have, or hidden_act. "gelu" in hidden_act alone stands for the tanh form, with
 * which all Gemma models were trained, as in transformers before 4.48: the files of Gemma 1.0 say so.
 */
function activation(config: Config): Activation {
  if (config.has('hidden_activation')) return activationOf(config, 'hidden_activation', TANH);
  const isOld = config.has('hidden_act') && config.text('hidden_act') === 'gelu';
  return activationOf(config, isOld ? 'hidden_activation' : 'hidden_act', TANH);
}

const TANH = 'gelu_pytorch_tanh';

/** transformers' GemmaConfig and modeling_gemma.py: norms with 1 + weight, and scaled embeddings. */
export const gemma = llamaLike({
  defaults: {
    hidden: 3072,
    inner: 24576,
    layers: 28,
    heads: 16,
    keyValueHeads: 16,
    width: 256,
    vocabulary: 256000,
    epsilon: 1e-6,
  },
  rope: { positions: 8192 },
  tied: true,
  activation,
  biases: chosenBiases,
  plus: 1,
  scale: ({ hidden }) => Math.sqrt(hidden),
});
