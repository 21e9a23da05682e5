import { activationOf } from '../../blocks/activation';
import { attention } from '../../blocks/attention';
import { type DecoderFacts, DecoderInputs, decoderOutputs } from '../../blocks/decoder';
import { serialLayer } from '../../blocks/decoder-layer';
import { packedGated } from '../../blocks/feed-forward';
import { linear, rmsNorm } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { type Rope, ropeOf, rotary } from '../../blocks/rope';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { decoderSize, LLAMA_SIZE, slidingWindow, type Window } from '../../settings';

const EMBEDDING = 'embed_tokens';

/** Scalings of Phi-3, with the names that its older files have. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ['default', 'default'],
  ['longrope', 'longrope'],
  ['su', 'longrope'],
  ['yarn', 'longrope'],
]);

/** transformers' Phi3Config and modeling_phi3.py, also Phi-3.5-mini and Phi-4-mini: qkv_proj and gate_up_proj are packed. */
export const phi3: Family = {
  prefixes: ['model.'],
  marker: `${EMBEDDING}.weight`,
  caches: true,
  facts: factsOf,
  build,
};

function factsOf(config: Config): DecoderFacts & { rope: Rope } {
  const defaults = { ...LLAMA_SIZE, hidden: 3072, inner: 8192, vocabulary: 32064, epsilon: 1e-5 };
  const size = decoderSize(config, defaults);
  const { width, layers } = size;
  const positions = 4096;
  return {
    ...size,
    config,
    positions: config.count('max_position_embeddings', positions),
    windows: new Array<Window>(layers).fill(slidingWindow(config)),
    rope: ropeOf(config, { width, positions, original: positions, part: 1, kinds: KINDS }),
  };
}

function build(net: Network, config: Config): void {
  const { rope, windows, ...size } = factsOf(config);
  const { hidden, layers, heads, keyValueHeads, width, epsilon } = size;
  const norm = (module: string, y: string) => rmsNorm(net, module, y, hidden, epsilon);
  const act = activationOf(config, 'hidden_act', 'silu');
  const inputs = new DecoderInputs(net, config);
  let x = inputs.embedded(EMBEDDING, size);
  const rotate = rotary(net, inputs.places, rope, width);
  const parts = [heads, keyValueHeads, keyValueHeads].map((count) => count * width);
  const packed = { from: hidden, to: (heads + 2 * keyValueHeads) * width, bias: false };
  for (let i = 0; i < layers; i++) {
    const at = `layers.${i}`;
    const shape = inputs.shape(size, i, windows[i]);
    const attend = (y: string) => {
      const self = `${at}.self_attn`;
      const all = linear(net, `${self}.qkv_proj`, y, packed);
      const [query, key, value] = net.ops(self, 'Split', [all, net.g.ints(parts)], { axis: -1 }, 3);
      const mixed = attention(net, self, { query, key, value }, shape, { rotate });
      return linear(net, `${self}.o_proj`, mixed, { from: heads * width, to: hidden, bias: false });
    };
    const feed = (y: string) => packedGated(net, `${at}.mlp`, y, size, act);
    x = serialLayer(net, at, x, { norm, attend, feed });
  }
  decoderOutputs(net, config, norm('norm', x), inputs.rows, size, { embedding: EMBEDDING, tied: false });
}
