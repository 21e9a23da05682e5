import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeTensors } from '../src/architectures/folder/weights';
import { elementCount } from '../src/graph/model';
import { toBfloat16 } from '../src/graph/number-formats';
import type { TokenizerJson } from './tokenizers/formats';

export type Config = Record<string, unknown> & { model_type: string; vocab_size: number };

const LAYER = { hidden_size: 64, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2 };
const GATED = { ...LAYER, intermediate_size: 96, max_position_embeddings: 128 };

/** A config.json of each family that is exported for llama.cpp, with the settings that are easily converted wrong. */
export const CONFIGS: Readonly<Record<string, Omit<Config, 'vocab_size'>>> = {
  llama: {
    ...GATED,
    model_type: 'llama',
    architectures: ['LlamaForCausalLM'],
    attention_bias: true,
    mlp_bias: true,
    rope_theta: 500,
    rope_scaling: {
      rope_type: 'llama3',
      factor: 4,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 32,
    },
  },
  mistral: {
    ...GATED,
    model_type: 'mistral',
    architectures: ['MistralForCausalLM'],
    // Not hidden size / heads.
    head_dim: 24,
    sliding_window: 96,
    rope_theta: 1000,
  },
  qwen2: {
    ...GATED,
    model_type: 'qwen2',
    architectures: ['Qwen2ForCausalLM'],
    tie_word_embeddings: true,
    rope_theta: 1000,
    rope_scaling: { type: 'yarn', factor: 4, original_max_position_embeddings: 32 },
  },
  qwen3: {
    ...GATED,
    model_type: 'qwen3',
    architectures: ['Qwen3ForCausalLM'],
    head_dim: 24,
    rope_theta: 1000,
    rope_scaling: { rope_type: 'linear', factor: 2 },
  },
  gemma2: {
    ...GATED,
    model_type: 'gemma2',
    architectures: ['Gemma2ForCausalLM'],
    num_hidden_layers: 3,
    head_dim: 16,
    query_pre_attn_scalar: 16,
    sliding_window: 5,
    attn_logit_softcapping: 2,
    final_logit_softcapping: 12,
  },
  gemma3_text: {
    ...GATED,
    model_type: 'gemma3_text',
    architectures: ['Gemma3ForCausalLM'],
    num_hidden_layers: 7,
    head_dim: 16,
    query_pre_attn_scalar: 16,
    sliding_window: 5,
    rope_theta: 1000000,
    rope_scaling: { rope_type: 'linear', factor: 8 },
  },
  phi3: {
    ...GATED,
    model_type: 'phi3',
    architectures: ['Phi3ForCausalLM'],
    rope_theta: 1000,
    sliding_window: 96,
  },
  gpt2: {
    model_type: 'gpt2',
    architectures: ['GPT2LMHeadModel'],
    n_embd: 64,
    n_layer: 2,
    n_head: 4,
    n_positions: 128,
    n_inner: 96,
    activation_function: 'gelu_new',
  },
};

type Dims = Record<string, number[]>;

/** The weights of a model, by name, with their shapes. */
function weightsOf(config: Config): Dims {
  return config.model_type === 'gpt2' ? gpt2Weights(config) : llamaWeights(config);
}

function gpt2Weights({ vocab_size: vocabulary, n_embd, n_layer, n_positions, n_inner }: Config): Dims {
  const [hidden, layers, positions, inner] = [n_embd, n_layer, n_positions, n_inner] as number[];
  const norm = (name: string): Dims => ({ [`${name}.weight`]: [hidden], [`${name}.bias`]: [hidden] });
  const conv = (name: string, from: number, to: number): Dims => ({
    [`${name}.weight`]: [from, to],
    [`${name}.bias`]: [to],
  });
  return Object.assign(
    { 'wte.weight': [vocabulary, hidden], 'wpe.weight': [positions, hidden] },
    ...Array.from({ length: layers }, (_, i) => ({
      ...norm(`h.${i}.ln_1`),
      ...conv(`h.${i}.attn.c_attn`, hidden, 3 * hidden),
      ...conv(`h.${i}.attn.c_proj`, hidden, hidden),
      ...norm(`h.${i}.ln_2`),
      ...conv(`h.${i}.mlp.c_fc`, hidden, inner),
      ...conv(`h.${i}.mlp.c_proj`, inner, hidden),
    })),
    norm('ln_f'),
  ) as Dims;
}

function llamaWeights(config: Config): Dims {
  const { model_type: type, vocab_size: vocabulary } = config;
  const number = (key: string) => config[key] as number;
  const [hidden, inner] = [number('hidden_size'), number('intermediate_size')];
  const [heads, shared] = [number('num_attention_heads'), number('num_key_value_heads')];
  const width = (config.head_dim as number | undefined) ?? hidden / heads;
  const [q, k] = [heads * width, shared * width];
  const isGemma = type.startsWith('gemma');
  const tied = isGemma || config.tie_word_embeddings === true;
  const weights: Dims = { 'model.embed_tokens.weight': [vocabulary, hidden], 'model.norm.weight': [hidden] };
  if (!tied) weights['lm_head.weight'] = [vocabulary, hidden];
  for (let i = 0; i < number('num_hidden_layers'); i++) {
    const add = (name: string, dims: number[], bias = false) => {
      weights[`model.layers.${i}.${name}.weight`] = dims;
      if (bias) weights[`model.layers.${i}.${name}.bias`] = [dims[0]];
    };
    const [attends, feeds] = [config.attention_bias === true, config.mlp_bias === true];
    add('input_layernorm', [hidden]);
    add('post_attention_layernorm', [hidden]);
    if (isGemma) {
      add('pre_feedforward_layernorm', [hidden]);
      add('post_feedforward_layernorm', [hidden]);
    }
    if (type === 'qwen3' || type === 'gemma3_text') {
      add('self_attn.q_norm', [width]);
      add('self_attn.k_norm', [width]);
    }
    if (type === 'phi3') {
      add('self_attn.qkv_proj', [q + 2 * k, hidden]);
      add('mlp.gate_up_proj', [2 * inner, hidden]);
    } else {
      add('self_attn.q_proj', [q, hidden], attends || type === 'qwen2');
      add('self_attn.k_proj', [k, hidden], attends || type === 'qwen2');
      add('self_attn.v_proj', [k, hidden], attends || type === 'qwen2');
      add('mlp.gate_proj', [inner, hidden], feeds);
      add('mlp.up_proj', [inner, hidden], feeds);
    }
    add('self_attn.o_proj', [hidden, q], attends);
    add('mlp.down_proj', [hidden, inner], feeds);
  }
  return weights;
}

/** Numbers in [−1, 1): the same for the same seed (mulberry32). */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

/** Values with which the next tokens of a model are neither all alike nor certain. */
function valuesOf(name: string, dims: number[], config: Config, next: () => number): Float32Array {
  const isGemma = config.model_type.startsWith('gemma');
  const isNorm = /norm|ln_/.test(name);
  const size = dims.at(-1)!;
  const isHead = /embed|wte|lm_head/.test(name);
  // Gemma's embeddings are multiplied by 8, and are its head too.
  const scale = isNorm || dims.length === 1 ? 0.3 : isHead ? (isGemma ? 0.25 : 0.9) : Math.sqrt(3 / size);
  const middle = isGemma
    ? name === 'model.norm.weight'
      ? 3
      : 0
    : isNorm && name.endsWith('.weight')
      ? 1
      : 0;
  return Float32Array.from({ length: elementCount(dims) }, () => middle + scale * next());
}

/**
 * A folder as the hub has it, with random weights.
 *
 * @param bfloat16 true for weights in bfloat16
 */
export function writeModel(
  folder: string,
  config: Config,
  tokenizer: TokenizerJson,
  tokenizerConfig: Record<string, unknown>,
  bfloat16 = false,
): void {
  mkdirSync(folder, { recursive: true });
  const next = numbers(7);
  const tensors = Object.entries(weightsOf(config)).map(([name, dims]) => {
    const values = valuesOf(name, dims, config, next);
    const stored = bfloat16 ? Uint16Array.from(values, toBfloat16) : values;
    return { name, dtype: bfloat16 ? 'BF16' : 'F32', dims, data: () => new Uint8Array(stored.buffer) };
  });
  writeTensors(join(folder, 'model.safetensors'), tensors);
  const json = (name: string, value: unknown) => writeFileSync(join(folder, name), JSON.stringify(value));
  json('config.json', config);
  json('tokenizer.json', tokenizer);
  json('tokenizer_config.json', tokenizerConfig);
}
