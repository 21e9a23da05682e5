import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import { isFileRef } from '../../../src/graph/model';
import { Folders } from './folders';

const folders = new Folders();
afterAll(() => folders.remove());

/** The structure of a reference case's model after a change to its config.json. */
function changed(name: string, change: Record<string, unknown>) {
  const read = (file: string) => readFileSync(join(import.meta.dirname, '../../fixtures/hf', name, file));
  const config = JSON.parse(read('config.json').toString()) as Record<string, unknown>;
  const files = { 'config.json': { ...config, ...change }, 'model.safetensors': read('model.safetensors') };
  return loadModelFrom(modelSource(folders.make(files)), 'structure');
}

/** All that a model computes: its nodes, constants, and the names of its weights. */
const computation = (name: string, change: Record<string, unknown> = {}) => {
  const { nodes, initializers } = changed(name, change).graph;
  const tensors = [...initializers.values()].map((t) => [t.name, t.dims, isFileRef(t.data) ? '' : t.data]);
  return JSON.stringify([nodes, tensors], (_, v: unknown) => {
    if (v instanceof Map) return [...v];
    return typeof v === 'bigint' ? String(v) : v;
  });
};

describe('a decoder is refused', () => {
  it.each<[string, Record<string, unknown>, RegExp]>([
    ['stablelm', { head_dim: 4 }, /head_dim is 4, which is not supported/],
    [
      'phi',
      { rope_parameters: { rope_type: 'linear', factor: 2, partial_rotary_factor: 0.25 } },
      /rope_parameters\.partial_rotary_factor is 0\.25/,
    ],
    ['glm', { partial_rotary_factor: 0.4 }, /partial_rotary_factor is 0\.4/],
    ['phi', { hidden_act: 'prelu' }, /hidden_act is "prelu"/],
    ['cohere', { is_causal: false }, /is_causal is false/],
    ['olmo', { clip_qkv: -1 }, /clip_qkv is -1, not a positive number/],
    ['olmo3', { rope_parameters: { rope_type: 'default', rope_theta: 50 } }, /rope_theta is 50/],
    ['olmo3', { rope_scaling: { rope_type: 'linear', factor: 2 } }, /rope_scaling is \{"rope_type"/],
    [
      'olmo3',
      { rope_parameters: { full_attention: { rope_type: 'yarn', factor: 2, truncate: false } } },
      /rope_parameters\.full_attention\.truncate is false/,
    ],
    ['cohere2', { rope_parameters: { sliding_attention: {} } }, /rope_parameters\.sliding_attention is/],
    ['cohere2', { sliding_window: null }, /sliding_window is .*, which is not supported/],
    ['exaone4', { sliding_window: null }, /sliding_window is .*, which is not supported/],
    [
      'exaone4',
      { layer_types: null, sliding_window_pattern: 'LLLG' },
      /sliding_window_pattern is "LLLG", not a positive integer/,
    ],
    [
      'exaone4',
      { layer_types: null, sliding_window_pattern: null },
      /sliding_window_pattern is null, which is not supported/,
    ],
    ['exaone4', { layer_types: ['full_attention'] }, /names 1 layers, but num_hidden_layers is 4/],
  ])('%s with %j', (name, change, message) => expect(() => changed(name, change)).toThrow(message));
});

describe('layers have a window', () => {
  const [full, sliding] = ['full_attention', 'sliding_attention'];

  it.each(['cohere2', 'exaone4', 'olmo3'])('in three of four, without layer_types: %s', (name) => {
    const listed = computation(name);
    expect(computation(name, { layer_types: null, sliding_window_pattern: undefined })).toBe(listed);
    expect(computation(name, { layer_types: [sliding, full, sliding, full] })).not.toBe(listed);
  });

  it.each(['cohere2', 'exaone4'])('as sliding_window_pattern says, unless layer_types does: %s', (name) => {
    const types = [sliding, full, sliding, full];
    const pattern = { layer_types: null, sliding_window_pattern: 2 };
    expect(computation(name, pattern)).toBe(computation(name, { layer_types: types }));
    expect(computation(name, { sliding_window_pattern: 2 })).toBe(computation(name));
    expect(computation(name, { sliding_window_pattern: 'LLLG' })).toBe(computation(name));
  });

  it('in SmolLM3 where layer_types says so, even without use_sliding_window', () => {
    const types = { layer_types: [full, sliding], sliding_window: 3 };
    const without = computation('smollm3', { ...types, use_sliding_window: false });
    expect(without).toBe(computation('smollm3', { ...types, use_sliding_window: true }));
    expect(without).not.toBe(computation('smollm3', { layer_types: [full, full] }));
  });
});

describe('positions count', () => {
  it('in all layers of an EXAONE 4 without sliding_window, otherwise only in those that slide', () => {
    const layer_types = new Array<string>(4).fill('full_attention');
    const turns = (more: object) => computation('exaone4', { layer_types, ...more }).includes('"Cos"');
    expect(turns({ sliding_window: null })).toBe(true);
    expect(turns({})).toBe(false);
  });

  it('with one base in OLMo 3 outside of rope_parameters, which is for layers without a window', () => {
    const full = { rope_type: 'default', rope_theta: 100 };
    const inside = computation('olmo3', { rope_parameters: { full_attention: full } });
    expect(computation('olmo3', { rope_parameters: undefined, rope_theta: 100 })).toBe(inside);
    const both = { full_attention: full, sliding_attention: full };
    expect(computation('olmo3', { rope_parameters: both })).not.toBe(inside);
  });

  it('up to the length in the settings of a kind of layer, whatever is outside', () => {
    const scaled = { rope_type: 'llama3', factor: 4, low_freq_factor: 1, high_freq_factor: 4 };
    const upTo = (original: number) => ({
      rope_parameters: {
        full_attention: { ...scaled, rope_theta: 10, original_max_position_embeddings: original },
      },
    });
    const plain = computation('olmo3', upTo(32));
    expect(computation('olmo3', { ...upTo(32), original_max_position_embeddings: 4 })).toBe(plain);
    expect(computation('olmo3', upTo(4))).not.toBe(plain);
  });
});

describe('a setting of no consequence changes nothing, as in transformers', () => {
  it.each<[string, Record<string, unknown>]>([
    ['llama', { partial_rotary_factor: 0.5, layer_types: ['sliding_attention', 'full_attention'] }],
    ['qwen3-heads', { partial_rotary_factor: 0.5 }],
    ['starcoder2', { partial_rotary_factor: 0.5 }],
    ['olmo', { rms_norm_eps: 0.5, layer_norm_eps: 0.5 }],
    ['stablelm', { rms_norm_eps: 0.5, attention_bias: true }],
    ['nemotron', { rms_norm_eps: 0.5, layer_norm_eps: 0.5 }],
    // Settings of Cohere's own code, in the published files.
    ['cohere2', { use_qk_norm: true, rotary_pct: 0.5, position_embedding_type: 'rope_gptj' }],
    ['cohere', { sliding_window: 2, use_parallel_block: false }],
    ['exaone4', { attention_bias: true, mlp_bias: true }],
    ['glm', { mlp_bias: true, add_qkv_bias: false }],
  ])('%s with %j', (name, more) => expect(computation(name, more)).toBe(computation(name)));
});

it.each(['qk_layernorm', 'use_qk_norm'])('%s needs the weights of these norms', (key) =>
  expect(() => changed(key === 'use_qk_norm' ? 'cohere' : 'stablelm', { [key]: true })).toThrow(
    /the weights have no model\.layers\.0\.self_attn\.q_(?:norm|layernorm\.norms\.0)\.weight/,
  ),
);
