import { LLAMA_SIZE } from '../../settings/decoder-size';
import { llamaLike } from './llama';
import { slidingWindow, windows } from '../../settings/windows';

/**
 * transformers' MistralConfig and modeling_mistral.py: all layers have a window, or none. With layer_types they decide:
 * AutoConfig reads such a file as Ministral's.
 */
export const mistral = llamaLike({
  defaults: { ...LLAMA_SIZE, inner: 14336, keyValueHeads: 8 },
  rope: { positions: 4096 * 32 },
  biases: () => ({ qkv: false, output: false, mlp: false }),
  windows(config, layers) {
    const window = slidingWindow(config, 4096);
    return windows(config, layers, window, () => window !== undefined);
  },
});
