import type { Config } from '../../folder/config';
import { LLAMA_SIZE, slidingWindow, windows, type Window } from '../../settings';
import { chosenBiases, llamaLike } from './llama';

const defaults = { ...LLAMA_SIZE, inner: 22016, vocabulary: 151936, keyValueHeads: 32 };
const rope = { positions: 32768 };

/** The upper layers have a window where use_sliding_window is set, unless layer_types names others. */
function upperLayers(config: Config, layers: number): Window[] {
  const window = config.flag('use_sliding_window', false) ? slidingWindow(config, 4096) : undefined;
  const from = config.index('max_window_layers', 28);
  return windows(config, layers, window, (layer) => window !== undefined && layer >= from);
}

/** transformers' Qwen2Config and modeling_qwen2.py, also Qwen2.5: queries, keys and values have biases. */
export const qwen2 = llamaLike({
  defaults,
  rope,
  biases: () => ({ qkv: true, output: false, mlp: false }),
  windows: upperLayers,
});

/** transformers' Qwen3Config and modeling_qwen3.py: the queries and keys of each head are normalized. */
export const qwen3 = llamaLike({
  defaults: { ...defaults, width: 128 },
  rope,
  biases: chosenBiases,
  windows: upperLayers,
  norms: 'head',
});
