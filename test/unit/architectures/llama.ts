import { normal } from '../../../src/base/random';
import type { Stored } from './folders';

/** Random float32 values. */
export const values = (count: number, seed: number) =>
  Array.from({ length: count }, (_, i) => Math.fround(0.3 * normal(9, seed, i)));

/** A config.json for `llamaTensors`. */
export const LLAMA = {
  model_type: 'llama',
  hidden_size: 8,
  intermediate_size: 12,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  num_hidden_layers: 1,
  vocab_size: 11,
  rope_theta: 100,
};

/**
 * The weights of a tiny Llama.
 *
 * @param more weights that replace or complete them
 */
export function llamaTensors(keyValueHeads = 2, more: Record<string, Stored> = {}): Record<string, Stored> {
  const at = 'model.layers.0';
  const rows = keyValueHeads * 2;
  const dims: Record<string, number[]> = {
    'model.embed_tokens.weight': [11, 8],
    [`${at}.input_layernorm.weight`]: [8],
    [`${at}.self_attn.q_proj.weight`]: [8, 8],
    [`${at}.self_attn.k_proj.weight`]: [rows, 8],
    [`${at}.self_attn.v_proj.weight`]: [rows, 8],
    [`${at}.self_attn.o_proj.weight`]: [8, 8],
    [`${at}.post_attention_layernorm.weight`]: [8],
    [`${at}.mlp.gate_proj.weight`]: [12, 8],
    [`${at}.mlp.up_proj.weight`]: [12, 8],
    [`${at}.mlp.down_proj.weight`]: [8, 12],
    'model.norm.weight': [8],
    'lm_head.weight': [11, 8],
  };
  const drawn = Object.entries(dims).map(([name, d], k): [string, Stored] => [
    name,
    {
      dims: d,
      values: values(
        d.reduce((a, b) => a * b, 1),
        k,
      ),
    },
  ]);
  return { ...Object.fromEntries(drawn), ...more };
}

const zeros = (name: string, count: number): [string, Stored] => [
  `model.layers.0.self_attn.${name}.bias`,
  { dims: [count], values: Array<number>(count).fill(0) },
];

/** The tensors that only Qwen2 has. */
export const QWEN2_BIASES = Object.fromEntries([zeros('q_proj', 8), zeros('k_proj', 4), zeros('v_proj', 4)]);
