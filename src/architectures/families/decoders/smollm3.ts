import type { Config } from '../../folder/config';
import { LLAMA_SIZE, slidingWindow, windows } from '../../settings';
import { chosenBiases, llamaLike } from './llama';

/** Layers in which positions count: those with 1 in no_rope_layers, by default all but every fourth. */
function turning(config: Config, layers: number): boolean[] {
  const flags = config.flags('no_rope_layers', layers);
  const interval = config.count('no_rope_layer_interval', 4);
  return Array.from({ length: layers }, (_, i) => (flags ? flags[i] : (i + 1) % interval !== 0));
}

/** transformers' SmolLM3Config and modeling_smollm3.py: Llama with layers in which positions do not count. */
export const smollm3 = llamaLike({
  defaults: {
    ...LLAMA_SIZE,
    hidden: 2048,
    layers: 36,
    heads: 16,
    keyValueHeads: 4,
    vocabulary: 128256,
  },
  rope: { positions: 32768, theta: 2000000 },
  tied: true,
  biases: (config) => chosenBiases(config, true),
  turning,
  windows(config, layers) {
    const window = slidingWindow(config);
    const places = turning(config, layers);
    // layer_types counts without it.
    const slides = config.flag('use_sliding_window', false) && window !== undefined;
    return windows(config, layers, window, (i) => slides && !places[i]);
  },
});
