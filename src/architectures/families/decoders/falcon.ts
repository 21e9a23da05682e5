import { activationOf } from '../../blocks/activation';
import { alibiSlopes, roundedAlibi } from '../../blocks/alibi';
import { DecoderInputs, decoderOutputs, feedForward, MEGATRON } from '../../blocks/decoder';
import { fusedAttention } from '../../blocks/fused-attention';
import { layerNorm } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { ropeOf, rotary } from '../../blocks/rope';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { headWidth } from '../../settings';

const EMBEDDING = 'word_embeddings';

/**
 * transformers' FalconConfig and modeling_falcon.py: Falcon-7B, the newer decoder of Falcon-40B and Falcon2-11B, and
 * Falcon-RW. With ALiBi, numbers are those of its default attention (sdpa); the one called eager adds ALiBi twice.
 */
export const falcon: Family = {
  prefixes: ['transformer.'],
  marker: `${EMBEDDING}.weight`,
  caches: true,
  build: (net, config) => build(net, config.renamed({ n_embed: 'hidden_size' })),
};

function build(net: Network, config: Config): void {
  const hidden = config.count('hidden_size', 4544);
  const heads = config.count('num_attention_heads', 71);
  const layers = config.layers('num_hidden_layers', 32);
  const inner = config.count('ffn_hidden_size', 4 * hidden);
  const vocabulary = config.count('vocab_size', 65024);
  const epsilon = config.number('layer_norm_epsilon', 1e-5);
  const width = headWidth(config, hidden, heads);
  const act = activationOf(config, 'activation', 'gelu');
  const bias = isSet(config, 'bias', false);
  const norms = normsOf(config);
  const size = { heads, keyValueHeads: keyValueHeads(config, heads), width };
  const inputs = new DecoderInputs(net, config);
  let x = inputs.embedded(EMBEDDING, { vocabulary, hidden });
  const places = isSet(config, 'alibi', false)
    ? { bias: net.op('', 'Add', [fromMask(net, inputs, heads, width), inputs.bias()]) }
    : { rotate: rotary(net, inputs.places, ropeOf(config, { width, positions: 2048 }), width) };
  const norm = (name: string, y: string) => layerNorm(net, name, y, hidden, epsilon);
  for (let i = 0; i < layers; i++) {
    const at = `h.${i}`;
    const before = norm(`${at}.${norms.attention}`, x);
    const shape = { ...inputs.shape(size, i), ...('bias' in places && { bias: places.bias }) };
    const options = { hidden, bias, ...('rotate' in places && { rotate: places.rotate }) };
    const attended = fusedAttention(net, `${at}.self_attention`, before, shape, options);
    const middle = net.op(at, 'Add', [attended, x]);
    const read = norms.isParallel ? x : middle;
    const after = norms.feed === undefined ? before : norm(`${at}.${norms.feed}`, read);
    const fed = feedForward(net, `${at}.mlp`, after, { hidden, inner }, act, { ...MEGATRON, bias });
    x = net.op(at, 'Add', [fed, middle]);
  }
  const end = norm('ln_f', x);
  decoderOutputs(net, config, end, inputs.rows, { vocabulary, hidden }, { embedding: EMBEDDING, tied: true });
}

/** Flags may be null here, which is false. */
const isSet = (config: Config, key: string, missing: boolean): boolean =>
  !config.isNull(key) && config.flag(key, missing);

/** ALiBi is divided as the scores are. */
const fromMask = (net: Network, inputs: DecoderInputs, heads: number, width: number): string =>
  roundedAlibi(net, inputs.countedFromZero, alibiSlopes(heads), 1 / Math.sqrt(width));

/** One key and value for all heads in Falcon-7B, one for each group of heads in newer ones, or one for each head. */
function keyValueHeads(config: Config, heads: number): number {
  if (isSet(config, 'new_decoder_architecture', false)) {
    const count = config.count('num_kv_heads', heads);
    if (heads % count !== 0) throw config.unsupported('num_kv_heads', [`a divisor of ${heads}`]);
    return count;
  }
  if (isSet(config, 'multi_query', true)) return 1;
  config.require('num_kv_heads', heads);
  return heads;
}

/** The norms of a layer. */
interface Norms {
  attention: string;
  /** Undefined if the feed-forward part reads what the attention reads. */
  feed?: string;
  /** True if the feed-forward part does not read the attention's result. */
  isParallel: boolean;
}

/** transformers fails with the settings that are refused here. */
function normsOf(config: Config): Norms {
  const key = 'num_ln_in_parallel_attn';
  const attention = 'input_layernorm';
  if (isSet(config, 'new_decoder_architecture', false)) {
    if (!isSet(config, 'parallel_attn', true)) throw config.unsupported('parallel_attn', [true]);
    config.require(key, 2, 1);
    return config.count(key, 2) === 1
      ? { attention, isParallel: true }
      : { attention: 'ln_attn', feed: 'ln_mlp', isParallel: true };
  }
  if (!isSet(config, 'parallel_attn', true))
    return { attention, feed: 'post_attention_layernorm', isParallel: false };
  config.require(key, 1);
  return { attention, isParallel: true };
}
