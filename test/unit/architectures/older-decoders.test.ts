import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import { Folders } from './folders';

const folders = new Folders();
afterAll(() => folders.remove());

/** The structure of a reference case's model after a change to its config.json; undefined removes a setting. */
function changed(name: string, change: Record<string, unknown>) {
  const read = (file: string) => readFileSync(join(import.meta.dirname, '../../fixtures/hf', name, file));
  const config = JSON.parse(read('config.json').toString()) as Record<string, unknown>;
  const files = { 'config.json': { ...config, ...change }, 'model.safetensors': read('model.safetensors') };
  return loadModelFrom(modelSource(folders.make(files)), 'structure');
}

const plain = (model: ReturnType<typeof changed>) =>
  JSON.stringify([model.graph.nodes, [...model.graph.initializers.keys()]], (_, v: unknown) =>
    typeof v === 'bigint' ? String(v) : v,
  );

describe('a setting that is not supported is refused by its name', () => {
  it.each([
    ['falcon-40b', { parallel_attn: false }, /parallel_attn is false/],
    ['falcon-40b', { num_ln_in_parallel_attn: 3 }, /num_ln_in_parallel_attn is 3/],
    ['falcon-40b', { num_kv_heads: 3 }, /num_kv_heads is 3/],
    ['falcon-7b', { num_ln_in_parallel_attn: 2 }, /num_ln_in_parallel_attn is 2/],
    ['falcon-7b', { rope_scaling: { type: 'ntk', factor: 2 } }, /rope_scaling\.type is "ntk"/],
    ['falcon-rw', { num_kv_heads: 2 }, /num_kv_heads is 2/],
    ['falcon-rw', { activation: 'swishy' }, /activation is "swishy"/],
    ['bloom', { pretraining_tp: 2, slow_but_exact: true }, /slow_but_exact is true/],
    ['gptj', { rotary_dim: null }, /rotary_dim is missing/],
    ['gptj', { rotary_dim: 3 }, /rotary_dim is 3/],
    ['gptj', { rotary_dim: 16 }, /rotary_dim is 16/],
    ['gpt-neo', { attention_layers: ['global', 'sparse'] }, /attention_layers is \["global","sparse"\]/],
    ['gpt-neo', { attention_layers: ['global'] }, /attention_layers names 1 layers, but num_layers is 2/],
    [
      'gpt-neo',
      { attention_layers: undefined, attention_types: [['global', 2]] },
      /attention_types is \[\["gl/,
    ],
    [
      'gpt-neo',
      { attention_layers: undefined, attention_types: undefined },
      /attention_types names 24 layers/,
    ],
    ['gpt-neo', { window_size: 0 }, /window_size is 0/],
    ['mpt', { attn_config: { clip_qkv: -1 } }, /attn_config\.clip_qkv is -1/],
    ['persimmon', { head_dim: 4 }, /head_dim is 4/],
    ...['bloom', 'falcon-rw', 'gpt-neo', 'gptj', 'mpt', 'opt', 'persimmon'].map(
      (name): [string, object, RegExp] => [name, { is_causal: false }, /is_causal is false/],
    ),
  ])('%s with %j', (name, change, message) => expect(() => changed(name, { ...change })).toThrow(message));
});

describe('a setting of no consequence in transformers changes nothing', () => {
  it.each([
    ['falcon-7b', { num_kv_heads: 4, ff_factor: 2, hidden_dropout: 0.5, num_ln_in_parallel_attn: 1 }],
    ['falcon-7b', { n_head: 2, n_layer: 1, new_decoder_architecture: null, bias: null }],
    ['falcon-40b', { multi_query: false, num_ln_in_parallel_attn: null }],
    ['falcon-rw', { num_ln_in_parallel_attn: 2, rope_theta: 5 }],
    ['bloom', { pretraining_tp: 4, seq_length: 8, offset_alibi: 100, n_inner: 5 }],
    ['bloom', { slow_but_exact: true }],
    ['gptj', { rope_theta: 5, rope_scaling: { type: 'linear', factor: 2 }, embd_pdrop: 0.5 }],
    ['gpt-neo', { attention_types: [[['local'], 2]], attention_dropout: 0.5 }],
    ['mpt', { attn_config: { alibi_bias_max: 16, alibi: false, qk_ln: true, prefix_lm: true } }],
    [
      'mpt',
      { attn_config: null, expansion_ratio: 2, no_bias: false, logit_scale: 2, learned_pos_emb: false },
    ],
    ['opt', { layerdrop: 0.5, dropout: 0.5, learned_embeddings: true, scale_embeddings: true }],
    ['persimmon', { rope_theta: undefined, rope_parameters: { rope_theta: 100 }, num_key_value_heads: 2 }],
  ])('%s with %j', (name, change) => expect(plain(changed(name, change))).toBe(plain(changed(name, {}))));

  it.each([
    ['bloom', { n_embed: undefined, num_attention_heads: undefined, hidden_size: 24, n_head: 4 }],
    ['bloom', { hidden_size: 8, n_head: 2 }],
    ['falcon-7b', { hidden_size: 8, n_embed: 24 }],
    [
      'gptj',
      { n_embd: 8, n_head: 2, n_layer: 1, hidden_size: 32, num_attention_heads: 4, num_hidden_layers: 2 },
    ],
    ['gpt-neo', { num_layers: 1, num_heads: 2, num_hidden_layers: 2, num_attention_heads: 4 }],
    [
      'gpt-neo',
      {
        attention_layers: undefined,
        attention_types: [
          [['global'], 1],
          [['local'], 1],
        ],
      },
    ],
    [
      'mpt',
      { d_model: 8, n_heads: 2, n_layers: 1, hidden_size: 24, num_attention_heads: 4, num_hidden_layers: 2 },
    ],
  ])('nor does the other name of a size, which comes first: %s with %j', (name, change) =>
    expect(plain(changed(name, change))).toBe(plain(changed(name, {}))),
  );
});

describe('a setting that changes the result changes the graph', () => {
  it.each([
    ['bloom', { apply_residual_connection_post_layernorm: true }],
    ['falcon-7b', { rope_scaling: { type: 'linear', factor: 2 } }],
    ['falcon-rw', { activation: 'relu' }],
    ['gptj', { rotary_dim: 8 }],
    ['gpt-neo', { attention_layers: ['local', 'local'] }],
    ['gpt-neo', { window_size: 3 }],
    ['mpt', { attn_config: { softmax_scale: 0.5 } }],
    ['mpt', { attn_config: { clip_qkv: 0.5 } }],
    ['opt', { do_layer_norm_before: false }],
    ['opt', { _remove_final_layer_norm: true }],
    ['opt', { layer_norm_elementwise_affine: false }],
    ['opt', { enable_bias: false }],
    ['persimmon', { qk_layernorm: false }],
    ['persimmon', { partial_rotary_factor: 1 }],
  ])('%s with %j', (name, change) => {
    const all = (model: ReturnType<typeof changed>) =>
      plain(model) +
      JSON.stringify(
        [...model.graph.initializers.values()].map((t) => [t.dims, t.data]),
        bytes,
      );
    expect(all(changed(name, change))).not.toBe(all(changed(name, {})));
  });
});

const bytes = (_: string, v: unknown) => (v instanceof Uint8Array ? Buffer.from(v).toString('hex') : v);
