import { ropeFrom } from '../../blocks/rope';
import { rotary } from '../../blocks/rotary';
import type { Family } from '../../family';
import { gemma2Like } from './gemma2';

/**
 * transformers' Gemma3TextConfig and the text model of modeling_gemma3.py: Gemma 2 with normalized queries and keys, other
 * rotary embeddings in layers with a window, and no softcapping.
 */
export const gemma3Text = gemma2Like({
  vocabulary: 262208,
  slides: (config, layer) => (layer + 1) % config.count('sliding_window_pattern', 6) !== 0,
  rotations(net, config, places, { width }) {
    const kinds = config.section('rope_parameters');
    const old = config.filled('rope_scaling');
    // Settings for all layers alike are not those of any Gemma 3. Where there are layers of one kind only, transformers 5
    // writes a type that means nothing.
    kinds?.require('rope_type', null, 'default');
    kinds?.require('rope_theta', null);
    // The library would mix both.
    if (kinds?.has('full_attention')) config.require('rope_scaling', null, {});
    // Version 4 of the library reads the old name, version 5 does not.
    if (!old?.has('rope_type')) old?.require('type', 'default');
    const made = (settings: typeof old, theta: number) =>
      rotary(net, places, ropeFrom(config, settings, { width, positions: 131072, theta }), width);
    return {
      full: made(kinds?.section('full_attention') ?? old, config.number('rope_theta', 1000000)),
      sliding: made(kinds?.section('sliding_attention'), config.number('rope_local_base_freq', 10000)),
    };
  },
  norms: true,
  caps: { scores: 'never' },
});

/**
 * The model of texts in Gemma3ForConditionalGeneration (4B and larger). Without images, it computes the same as
 * Gemma3ForCausalLM.
 */
export const gemma3: Family = {
  ...gemma3Text,
  // The first part differs between versions of transformers.
  prefixes: ['model.language_model.', 'language_model.model.'],
  build(net, config) {
    const text = config.section('text_config');
    if (!text) throw config.unsupported('text_config', ['the settings of the text model']);
    if (config.isFor('ForSequenceClassification'))
      throw config.unsupported('architectures', [['Gemma3ForConditionalGeneration']]);
    text.require('model_type', 'gemma3_text');
    text.require('per_layer_config', {});
    for (const each of [config, text]) each.require('tie_word_embeddings', true);
    gemma3Text.build(net, text);
  },
};
