import type { Config } from '../folder/config';
import { llamaLike } from './llama';

/** The setting `sliding_window`: null for none, 4096 if it is missing. */
const windowOf = (config: Config): number | undefined =>
  config.isNull('sliding_window') ? undefined : config.count('sliding_window', 4096);

/** transformers' MistralConfig and modeling_mistral.py. */
export const mistral = llamaLike({
  defaults: { inner: 14336, vocabulary: 32000, keyValueHeads: 8 },
  biases: () => ({ qkv: false, output: false, mlp: false }),
  window: windowOf,
});

/** transformers' Qwen2Config and modeling_qwen2.py: the upper layers may have a window. */
export const qwen2 = llamaLike({
  defaults: { inner: 22016, vocabulary: 151936, keyValueHeads: 32 },
  biases: () => ({ qkv: true, output: false, mlp: false }),
  window(config, layer) {
    if (!config.flag('use_sliding_window', false)) return undefined;
    const types = config.texts('layer_types');
    const slides = types
      ? types[layer] === 'sliding_attention'
      : layer >= config.index('max_window_layers', 28);
    return slides ? windowOf(config) : undefined;
  },
});
