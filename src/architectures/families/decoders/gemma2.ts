import { activationOf } from '../../blocks/activation';
import { DecoderInputs, decoderOutputs, type DecoderSize } from '../../blocks/decoder';
import { gated } from '../../blocks/gated';
import { rmsNormOf } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { ropeOf } from '../../blocks/rope';
import { rotary, type Rotate } from '../../blocks/rotary';
import { selfAttention } from '../../blocks/self-attention';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { decoderSize, type DecoderDefaults } from '../../settings/decoder-size';
import { chosenBiases } from './llama';
import { slidingWindow, windows } from '../../settings/windows';

const EMBEDDING = 'embed_tokens';

/** The differences between Gemma 2 and 3. */
export interface Gemma2Variant {
  vocabulary: number;
  /** True if a layer has a window; used without layer_types. */
  slides(config: Config, layer: number): boolean;
  /** The rotations of layers: those without a window, and those with one. */
  rotations(
    net: Network,
    config: Config,
    places: string,
    size: DecoderSize,
  ): { full: Rotate; sliding: Rotate };
  /** True if the queries and keys of each head are normalized. */
  norms: boolean;
  /**
   * The caps of attention scores and of logits, unless config.json has others; undefined for none. Gemma 3 reads
   * attn_logit_softcapping, and does nothing with it.
   */
  caps: { scores: number | 'never'; logits?: number };
}

const DEFAULTS: Omit<DecoderDefaults, 'vocabulary'> = {
  hidden: 2304,
  inner: 9216,
  layers: 26,
  heads: 8,
  keyValueHeads: 4,
  width: 256,
  epsilon: 1e-6,
};

/** Gemma 2 and 3: Gemma with norms before and after attention and feed-forward part, and windows in some layers. */
export const gemma2Like = (variant: Gemma2Variant): Family => ({
  prefixes: ['model.'],
  marker: `${EMBEDDING}.weight`,
  caches: true,
  build: (net, config) => build(net, config, variant),
});

/** transformers' Gemma2Config and modeling_gemma2.py. */
export const gemma2 = gemma2Like({
  vocabulary: 256000,
  slides: (_, layer) => layer % 2 === 0,
  rotations(net, config, places, { width }) {
    const rotate = rotary(net, places, ropeOf(config, { width, positions: 8192 }), width);
    return { full: rotate, sliding: rotate };
  },
  norms: false,
  caps: { scores: 50, logits: 30 },
});

/** A softcapping, where null means none. */
const capOf = (config: Config, key: string, missing: number | undefined): number | undefined =>
  config.isNull(key) || (missing === undefined && !config.has(key)) ? undefined : config.number(key, missing);

function build(net: Network, config: Config, variant: Gemma2Variant): void {
  const size = decoderSize(config, { ...DEFAULTS, vocabulary: variant.vocabulary });
  const { hidden, layers, epsilon } = size;
  const norm = rmsNormOf(epsilon, 1);
  const act = activationOf(config, 'hidden_activation', 'gelu_pytorch_tanh');
  const biases = chosenBiases(config);
  const scale = config.number('query_pre_attn_scalar', 256) ** -0.5;
  const { scores, logits } = variant.caps;
  const cap = scores === 'never' ? undefined : capOf(config, 'attn_logit_softcapping', scores);
  const seen = windows(config, layers, slidingWindow(config, 4096), (i) => variant.slides(config, i));
  const inputs = new DecoderInputs(net, config);
  let x = inputs.embedded(EMBEDDING, size, Math.sqrt(hidden));
  const rotations = variant.rotations(net, config, inputs.places, size);
  for (let i = 0; i < layers; i++) {
    const at = `layers.${i}`;
    const before = norm(net, `${at}.input_layernorm`, x, hidden);
    const attended = selfAttention(net, `${at}.self_attn`, before, {
      size,
      shape: inputs.shape(size, i, seen[i]),
      biases,
      rotate: seen[i] === undefined ? rotations.full : rotations.sliding,
      ...(variant.norms && { norms: { norm, of: 'head' } }),
      scale,
      cap,
    });
    const middle = net.op(at, 'Add', [x, norm(net, `${at}.post_attention_layernorm`, attended, hidden)]);
    const inner = norm(net, `${at}.pre_feedforward_layernorm`, middle, hidden);
    const fed = gated(net, `${at}.mlp`, inner, size, act);
    x = net.op(at, 'Add', [middle, norm(net, `${at}.post_feedforward_layernorm`, fed, hidden)]);
  }
  decoderOutputs(net, config, norm(net, 'norm', x, hidden), inputs.rows, size, {
    embedding: EMBEDDING,
    tied: true,
    cap: capOf(config, 'final_logit_softcapping', logits),
  });
}
