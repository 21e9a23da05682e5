import { realPower } from '../../../base/power';
import { type Activation, activationOf, GELU, SILU } from '../../blocks/activation';
import { type Rope, ropeOf } from '../../blocks/rope';
import type { Config } from '../../folder/config';
import { type EncoderDefaults, encoderSize, type EncoderSize, headWidth } from '../../settings';

/** The settings of a NomicBERT, by whichever names config.json has them. */
export interface NomicSettings extends EncoderSize {
  /** True for the settings of the model's remote code. */
  remote: boolean;
  vocabulary: number;
  /** Kinds of tokens; 0 for a model that has no kinds. */
  types: number;
  /** The rows of its table of positions; undefined without one. */
  positions?: number;
  /** Undefined if positions have a table. */
  rope?: Rope;
  /** True if neighbouring features are turned together. */
  interleaved: boolean;
  /** True for linear layers that have a bias; `up` is also the head's. */
  biases: { attention: boolean; up: boolean; down: boolean };
  /** The activation of the feed-forward part. */
  act: Activation;
  /** True if a second layer multiplies its result. */
  gated: boolean;
  /** The activation of the head of a masked language model. */
  headAct: Activation;
}

const SIZE: EncoderDefaults = { hidden: 768, inner: 3072, layers: 12, heads: 12, epsilon: 1e-12 };

/** Names that only the configuration of the model's remote code has. */
const REMOTE = ['n_embd', 'n_layer', 'n_head', 'n_inner', 'rotary_emb_fraction', 'rotary_emb_base'];

/** Names that only transformers' configuration has. It counts where a folder that was saved again has both. */
const OWN = ['intermediate_size', 'hidden_act', 'layer_norm_eps'];

/**
 * The settings in a config.json.
 *
 * @throws AuroraError 'model' for settings of the remote code that change the result and are not implemented
 */
export function nomicSettings(config: Config): NomicSettings {
  const hasAny = (keys: readonly string[]) => keys.some((key) => config.has(key));
  return hasAny(REMOTE) && !hasAny(OWN) ? ofRemoteCode(config) : ofTransformers(config);
}

/** transformers' NomicBertConfig. */
function ofTransformers(config: Config): NomicSettings {
  const { hidden, inner, layers, heads, width: usual, epsilon } = encoderSize(config, SIZE);
  const width = config.count('head_dim', usual);
  const act = activationOf(config, 'hidden_act', 'silu');
  return {
    ...{ hidden, inner, layers, heads, width, epsilon, act },
    remote: false,
    vocabulary: config.count('vocab_size', 30528),
    types: config.count('type_vocab_size', 2),
    rope: ropeOf(config, { width, positions: 2048, theta: 1000 }),
    interleaved: false,
    biases: { attention: false, up: false, down: false },
    gated: true,
    headAct: act,
  };
}

const NAMES = {
  hidden_size: 'n_embd',
  max_position_embeddings: 'n_positions',
  num_attention_heads: 'n_head',
  num_hidden_layers: 'n_layer',
};

/** The activation that each of its names stands for, and whether a second layer multiplies the result. */
const ACTIVATIONS: ReadonlyMap<string, { act: Activation; gated: boolean }> = new Map([
  ['swiglu', { act: SILU, gated: true }],
  ['geglu', { act: GELU, gated: true }],
  ['glu', { act: (net, module, x) => net.op(module, 'Sigmoid', [x]), gated: true }],
  ['gelu', { act: GELU, gated: false }],
]);

/** The gated feed-forward part is rounded up to a multiple of it. */
const INNER_MULTIPLE = 256;

/**
 * The configuration of the model's remote code, which is GPT-2's with additions (configuration_hf_nomic_bert.py and
 * modeling_hf_nomic_bert.py in nomic-ai/nomic-bert-2048).
 */
function ofRemoteCode(given: Config): NomicSettings {
  const config = given.renamed(NAMES);
  for (const [key, ...supported] of UNCHANGED) config.require(key, ...supported);
  const hidden = config.count('n_embd', 768);
  const heads = config.count('n_head', 12);
  config.require('num_heads_kv', heads);
  const width = headWidth(config, hidden, heads);
  const kind = ACTIVATIONS.get(config.text('activation_function', 'gelu_new'));
  if (!kind) throw config.unsupported('activation_function', [...ACTIVATIONS.keys()]);
  const { act, gated } = kind;
  const inner = gated
    ? roundUp(config.count('n_inner', Math.trunc((8 * hidden) / 3)), INNER_MULTIPLE)
    : config.count('n_inner', 4 * hidden);
  const share = config.fromZero('rotary_emb_fraction', 0);
  const positions = config.index('n_positions', 1024);
  const up = config.flag('mlp_fc1_bias', true);
  return {
    ...{ hidden, inner, heads, width, act, gated },
    remote: true,
    layers: config.layers('n_layer', 12),
    epsilon: config.number('layer_norm_epsilon', 1e-5),
    vocabulary: roundUp(config.count('vocab_size', 50257), config.count('pad_vocab_size_multiple', 1)),
    types: config.index('type_vocab_size', 2),
    positions: share === 0 && positions > 0 ? positions : undefined,
    rope: share === 0 ? undefined : remoteRope(config, width, share),
    interleaved: config.flag('rotary_emb_interleaved', false),
    biases: { attention: config.flag('qkv_proj_bias', true), up, down: config.flag('mlp_fc2_bias', true) },
    headAct: config.text('activation_function') === 'swiglu' ? SILU : GELU,
  };
}

/** Settings with the values that leave the model as it is written here. */
const UNCHANGED: readonly [key: string, ...supported: unknown[]][] = [
  ['causal', false],
  ['prenorm', false],
  ['parallel_block', false],
  ['parallel_block_tied_norm', false],
  ['use_rms_norm', false],
  ['norm_mlp', false],
  ['rotary_emb_scale_base', null],
  ['rotary_head_dim', false],
  ['scale_attn_weights', true],
  ['scale_attn_by_inverse_layer_idx', false],
  ['num_experts', 0],
  ['moe_every_n_layers', 0],
];

const roundUp = (count: number, multiple: number): number => Math.ceil(count / multiple) * multiple;

/** Rotary embeddings of a part of each head; texts longer than those of the training may have a larger base. */
function remoteRope(config: Config, width: number, share: number): Rope {
  const base = config.number('rotary_emb_base', 10_000);
  const turned = width * share;
  if (share > 1 || turned % 2 !== 0)
    throw config.unsupported('rotary_emb_fraction', ['an even part of a head']);
  const frequencies = Array.from({ length: turned / 2 }, (_, i) => realPower(base, (-2 * i) / turned));
  const than = config.count('max_trained_positions', 2048);
  const stretch = config.fromZero('rotary_scaling_factor', 0);
  return {
    ...{ base, type: 'default', original: than, frequencies, factor: 1 },
    ...(stretch > 0 && { type: 'dynamic', longer: { than, stretch } }),
  };
}
