import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readHeader } from '../../../src/architectures/folder/weight-files';
import { writeTensors } from '../../../src/architectures/folder/weights';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
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

describe('a Gemma 3 with layers of one kind only', () => {
  it.each(['sliding_attention', 'full_attention'])(
    'has the type that transformers 5 then writes: %s',
    (kind) => {
      const kinds = {
        full_attention: { rope_type: 'linear', factor: 2, rope_theta: 50 },
        sliding_attention: { rope_type: 'default', rope_theta: 10 },
      };
      const built = (more: object) =>
        changed('gemma3-kinds', { layer_types: [kind, kind], rope_parameters: { ...kinds, ...more } }).graph;
      const [plain, written] = [built({}), built({ rope_type: 'default', rope_theta: null })];
      expect(written.nodes).toEqual(plain.nodes);
      expect([...written.initializers]).toEqual(
        [...plain.initializers].map(([name, tensor]) => [
          name,
          { ...tensor, data: written.initializers.get(name)!.data },
        ]),
      );
    },
  );

  it('is refused with another type for all layers', () =>
    expect(() => changed('gemma3-kinds', { rope_parameters: { rope_type: 'linear', factor: 2 } })).toThrow(
      /rope_parameters\.rope_type is "linear"/,
    ));
});

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

  it.each(['qwen2-tied', 'gpt2-scaled', 'phi3-window'])('that is not causal: %s', (name) => {
    expect(() => changed(name, { is_causal: false })).toThrow(/is_causal is false/);
    expect(() => changed(name, { is_causal: null })).toThrow(/is_causal is null/);
  });

  it('with two scalings for the same layers', () =>
    expect(() => changed('gemma3-kinds', { rope_scaling: { type: 'linear', factor: 2 } })).toThrow(
      /rope_scaling is \{"type":"linear","factor":2\}/,
    ));

  it('with a scaling under a name that only some versions of transformers read', () =>
    expect(() => changed('gemma3', { rope_scaling: { type: 'linear', factor: 2 } })).toThrow(
      /rope_scaling\.type is "linear"/,
    ));

  it('with sizes for single layers', () =>
    expect(() => changed('qwen2-tied', { per_layer_config: { 1: { num_attention_heads: 2 } } })).toThrow(
      /per_layer_config is \{"1":\{"num_attention_heads":2\}\}/,
    ));

  it.each([{ rope_theta: 500 }, { head_dim: 4 }])('with settings that GPT-NeoX has otherwise: %j', (more) =>
    expect(() => changed('gpt-neox', more)).toThrow(/(rope_theta is 500|head_dim is 4), which is not/),
  );

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

describe('a setting of no consequence', () => {
  const plain = (model: ReturnType<typeof changed>) =>
    JSON.stringify([model.graph.nodes, [...model.graph.initializers.keys()]], (_, v: unknown) =>
      typeof v === 'bigint' ? String(v) : v,
    );

  it.each([
    ['llama-biases', { pretraining_tp: 2, sliding_window: 2, use_cache: false }],
    ['gemma3', { attn_logit_softcapping: 0.5 }],
    ['gpt2-scaled', { reorder_and_upcast_attn: true, n_ctx: 3, attn_pdrop: 0.5 }],
    ['phi3-window', { attention_bias: true }],
  ])('changes nothing, as in transformers: %s', (name, more) =>
    expect(plain(changed(name, more))).toBe(plain(changed(name, {}))),
  );

  it("is which of its two names GPT-2's sizes have", () => {
    const { n_embd, n_head, n_layer, n_positions } = { n_embd: 16, n_head: 2, n_layer: 2, n_positions: 12 };
    const one = { hidden_size: n_embd, num_attention_heads: n_head, num_hidden_layers: n_layer };
    const other = { n_embd: undefined, n_head: undefined, n_layer: undefined, n_positions: undefined };
    const renamed = { ...other, ...one, max_position_embeddings: n_positions };
    expect(plain(changed('gpt2-scaled', renamed))).toBe(plain(changed('gpt2-scaled', {})));
    expect(plain(changed('gpt2-scaled', { ...one }))).toBe(plain(changed('gpt2-scaled', {})));
  });
});

describe.each(['language_model.model.', 'model.language_model.'])(
  'a Gemma 3 with images, whose weights begin with %s',
  (prefix) => {
    const read = (file: string) => readFileSync(join(import.meta.dirname, '../../fixtures/hf/gemma3', file));
    const text = JSON.parse(read('config.json').toString()) as Record<string, unknown>;
    const loaded = (change: Record<string, unknown> = {}) => {
      const architectures = ['Gemma3ForConditionalGeneration'];
      const config = { model_type: 'gemma3', architectures, text_config: text, vision_config: {}, ...change };
      const folder = folders.make({
        'config.json': config,
        'model.safetensors': read('model.safetensors'),
      });
      const path = join(folder, 'model.safetensors');
      const tensors = [...readHeader(path).values()];
      const other = join(folder, 'renamed');
      writeTensors(
        other,
        tensors.map((t) => ({ ...t, name: t.name.replace('model.', prefix) })),
      );
      renameSync(other, path);
      return loadModelFrom(modelSource(folder), 'structure');
    };

    it('is the model of texts', () => {
      const [whole, one] = [loaded(), changed('gemma3', {})].map(({ graph }) => graph);
      expect(whole.nodes).toEqual(one.nodes);
      expect([...whole.initializers.keys()]).toEqual([...one.initializers.keys()]);
    });

    it('is refused with a separate head, or without the settings of that model', () => {
      expect(() => loaded({ tie_word_embeddings: false })).toThrow(/tie_word_embeddings is false/);
      expect(() => loaded({ text_config: undefined })).toThrow(/text_config is missing/);
      const architectures = ['Gemma3ForSequenceClassification'];
      expect(() => loaded({ architectures })).toThrow(/architectures is \["Gemma3ForSequence/);
    });
  },
);
