import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readStructure } from '../../../src/architectures/load';
import { Folders } from './folders';

const folders = new Folders();
afterAll(() => folders.remove());

/** The structure of a reference case's model after a change to its config.json. */
function changed(name: string, change: Record<string, unknown>) {
  const read = (file: string) => readFileSync(join(import.meta.dirname, '../../fixtures/hf', name, file));
  const config = JSON.parse(read('config.json').toString()) as Record<string, unknown>;
  const files = { 'config.json': { ...config, ...change }, 'model.safetensors': read('model.safetensors') };
  return readStructure(folders.make(files));
}

describe('a decoder is refused', () => {
  it('with a kind of layer that is not implemented, or other layers than it has', () => {
    const types = (...layer_types: string[]) => changed('qwen3-window', { layer_types });
    expect(() => types('full_attention', 'chunked_attention')).toThrow(
      /layer_types is .*"chunked_attention"/,
    );
    expect(() => types('full_attention')).toThrow(/names 1 layers, but num_hidden_layers is 2/);
  });

  it.each([
    ['qwen3-window', { use_sliding_window: false }],
    ['qwen2-window', { layer_types: ['full_attention', 'sliding_attention'], sliding_window: null }],
    ['gemma2', { sliding_window: null }],
  ])('with layers that slide and no window: %s', (name, change) =>
    expect(() => changed(name, change)).toThrow(/sliding_window is .*, which is not supported/),
  );

  it.each(['gemma-first', 'gemma2', 'gemma3'])('that attends to later tokens: %s', (name) =>
    expect(() => changed(name, { use_bidirectional_attention: true })).toThrow(
      /use_bidirectional_attention is true/,
    ),
  );

  it.each(['qwen2-tied', 'gpt2-scaled', 'phi3-window'])('that is not causal: %s', (name) =>
    expect(() => changed(name, { is_causal: false })).toThrow(/is_causal is false/),
  );

  it('with two scalings for the same layers', () =>
    expect(() => changed('gemma3-kinds', { rope_scaling: { type: 'linear', factor: 2 } })).toThrow(
      /rope_scaling is \{"type":"linear","factor":2\}/,
    ));

  it('with a list of layers without positions that is too short', () =>
    expect(() => changed('smollm3', { no_rope_layers: [1] })).toThrow(
      /no_rope_layers is \[1\], not a list of 2 times 0 or 1/,
    ));
});

describe('num_key_value_heads', () => {
  it('that is null stands for as many as heads, where a missing one has a default', () => {
    const shape = /k_proj\.weight has the shape \[12, 16\], but according to config\.json it is \[24, 16\]/;
    expect(() => changed('mistral-window', { num_key_value_heads: null })).toThrow(shape);
    expect(() => changed('mistral-window', { num_key_value_heads: undefined })).toThrow(
      /4 attention heads of size 6 do not fit 8 key\/value heads/,
    );
  });
});
