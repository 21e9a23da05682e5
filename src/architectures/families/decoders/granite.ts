import { LLAMA_SIZE } from '../../settings/decoder-size';
import { chosenBiases, llamaLike } from './llama';

/** transformers' GraniteConfig and modeling_granite.py: Llama with factors at four places. */
export const granite = llamaLike({
  defaults: LLAMA_SIZE,
  rope: { positions: 2048 },
  biases: (config) => chosenBiases(config, true),
  scale: (_, config) => config.number('embedding_multiplier', 1),
  factors: (config) => ({
    attention: config.number('attention_multiplier', 1),
    residual: config.number('residual_multiplier', 1),
    logits: 1 / config.number('logits_scaling', 1),
  }),
});
