import { AuroraError } from '../../../base/errors';
import { activationOf } from '../../blocks/activation';
import { attention, paddingBias, windowBias } from '../../blocks/attention';
import { layerNorm, linear } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { ropeFrom, type Rope, rotary } from '../../blocks/rope';
import { counted, embedding, flat, hiddenOutput, textInputs } from '../../blocks/text';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { headWidth } from '../../settings';

/** The kinds of layers: attention to all tokens, or to those near by. */
const KINDS = ['full_attention', 'sliding_attention'] as const;
type Kind = (typeof KINDS)[number];

/** ModernBertModel in transformers (modular_modernbert.py). */
export const modernbert: Family = {
  prefixes: ['model.'],
  marker: 'embeddings.tok_embeddings.weight',
  build(net, config) {
    const hidden = config.count('hidden_size', 768);
    const heads = config.count('num_attention_heads', 12);
    const layers = config.layers('num_hidden_layers', 22);
    const width = headWidth(config, hidden, heads);
    config.require('head_dim', width);
    const inner = config.count('intermediate_size', 1152);
    const epsilon = config.number('norm_eps', 1e-5);
    const normBias = config.flag('norm_bias', false);
    const bias = config.flag('attention_bias', false);
    const mlpBias = config.flag('mlp_bias', false);
    const act = activationOf(config, 'hidden_activation', 'gelu');
    const kinds = kindsOf(config, layers);

    const { ids, mask, rows } = textInputs(net);
    const norm = (name: string, x: string) => layerNorm(net, name, x, hidden, epsilon, { bias: normBias });
    const words = config.count('vocab_size', 50368);
    const embedded = embedding(net, 'embeddings.tok_embeddings', ids, words, hidden);
    let x = norm('embeddings.norm', flat(net, embedded, hidden));
    const positions = counted(net, rows);
    const window = config.count('local_attention', 128);
    const reach = Math.floor(window / 2);
    // Some versions of transformers write it too, and use it as the reach to each side.
    config.require('sliding_window', reach);
    const seen = {
      full_attention: paddingBias(net, mask),
      sliding_attention: windowBias(net, mask, positions, reach),
    };
    const rotate = {
      full_attention: rotary(net, positions, ropeOf(config, 'full_attention', width), width),
      sliding_attention: rotary(net, positions, ropeOf(config, 'sliding_attention', width), width),
    };
    for (let i = 0; i < layers; i++) {
      const at = `layers.${i}`;
      // The norm of the embeddings is that of the first layer.
      const before = i === 0 ? x : norm(`${at}.attn_norm`, x);
      const packed = linear(net, `${at}.attn.Wqkv`, before, { from: hidden, to: 3 * hidden, bias });
      const [query, key, value] = halves(net, `${at}.attn`, packed, 3);
      const shape = { heads, keyValueHeads: heads, width, rows, bias: seen[kinds[i]] };
      const turn = rotate[kinds[i]];
      const mixed = attention(net, `${at}.attn`, { query, key, value }, shape, { rotate: turn });
      const attended = linear(net, `${at}.attn.Wo`, mixed, { from: hidden, to: hidden, bias });
      const middle = net.op(at, 'Add', [x, attended]);
      const after = norm(`${at}.mlp_norm`, middle);
      const wide = linear(net, `${at}.mlp.Wi`, after, { from: hidden, to: 2 * inner, bias: mlpBias });
      const [first, gate] = halves(net, `${at}.mlp`, wide, 2);
      const gated = net.op(`${at}.mlp`, 'Mul', [act(net, `${at}.mlp.act`, first), gate]);
      const fed = linear(net, `${at}.mlp.Wo`, gated, { from: inner, to: hidden, bias: mlpBias });
      x = net.op(at, 'Add', [middle, fed]);
    }
    hiddenOutput(net, norm('final_norm', x), rows, hidden);
  },
};

/** Equal parts of the last axis. */
const halves = (net: Network, at: string, x: string, count: number): string[] =>
  net.ops(at, 'Split', [x], { axis: -1, num_outputs: count }, count);

/** Every n-th layer attends to all tokens, unless the layers are listed. */
function kindsOf(config: Config, layers: number): Kind[] {
  const listed = config.texts('layer_types');
  const every = config.count('global_attn_every_n_layers', 3);
  return Array.from({ length: layers }, (_, i) => {
    if (!listed) return i % every === 0 ? 'full_attention' : 'sliding_attention';
    const kind = KINDS.find((k) => k === listed[i]);
    if (kind) return kind;
    throw new AuroraError(
      'model',
      `${config.path}: layer_types is ${JSON.stringify(listed[i]) ?? 'missing'} for layer ${i}.`,
      `Supported: ${KINDS.join(', ')}. Download the config.json of this model again.`,
    );
  });
}

/**
 * Newer files have the base, and perhaps a scaling, in `rope_parameters` for each kind of layer; a `rope_scaling` is for
 * both kinds.
 */
function ropeOf(config: Config, kind: Kind, width: number): Rope {
  const all = config.section('rope_parameters');
  if (all) {
    config.require('rope_scaling', null);
    // Handled as in gemma3.ts, where there are layers of one kind only.
    all.require('rope_type', null, 'default');
    all.require('rope_theta', null);
  }
  const global = config.number('global_rope_theta', 160000);
  const local = config.isNull('local_rope_theta') ? global : config.number('local_rope_theta', 10000);
  const scaling = all ? all.section(kind) : config.section('rope_scaling');
  const theta = kind === 'full_attention' ? global : local;
  return ropeFrom(config, scaling, { width, positions: 8192, theta });
}
