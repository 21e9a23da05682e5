import { chosenBiases, llamaLike } from './llama';

/** transformers' HeliumConfig and modeling_helium.py: Llama with rotary embeddings of neighbouring features. */
export const helium = llamaLike({
  defaults: {
    hidden: 2560,
    inner: 7040,
    layers: 24,
    heads: 20,
    keyValueHeads: 20,
    width: 128,
    vocabulary: 48000,
    epsilon: 1e-8,
  },
  rope: { positions: 4096, theta: 100000 },
  interleaved: true,
  biases: (config) => ({ ...chosenBiases(config, true), output: false }),
});
