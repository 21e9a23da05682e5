import { ropeOf } from '../../blocks/rope';
import type { Config } from '../../folder/config';
import { isBetween, LLAMA_SIZE, slidingWindow, type Window, windows } from '../../settings';
import { olmo2Like } from './olmo2';

/** Without layer_types, every fourth layer attends to all tokens, or every n-th with sliding_window_pattern. */
function windowsOf(config: Config, layers: number): Window[] {
  const window = slidingWindow(config, 4096);
  return windows(config, layers, window, (i) => window !== undefined && isBetween(config, i, 4));
}

/**
 * transformers' Exaone4Config and modeling_exaone4.py: OLMo 2 with normalized queries and keys of each head. If the model
 * has a window (32B), positions count only in layers with it.
 */
export const exaone4 = olmo2Like({
  defaults: { ...LLAMA_SIZE, inner: 16384, keyValueHeads: 32, vocabulary: 102400, epsilon: 1e-5 },
  biases: () => ({ qkv: false, output: false }),
  norms: 'head',
  windows: windowsOf,
  ropes(config, width) {
    const rope = ropeOf(config, { width, positions: 2048 });
    return slidingWindow(config, 4096) === undefined ? { full: rope } : { sliding: rope };
  },
});
