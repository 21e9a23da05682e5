import { type Activation, activationOf } from '../../blocks/activation';
import { attention, type AttentionShape, paddingBias } from '../../blocks/attention';
import { withPlaces } from '../../blocks/bert-embeddings';
import { layerNorm, linear } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { embedding, flat, hiddenOutput, inRows, textInputs, type TextInputs } from '../../blocks/text';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { headWidth } from '../../settings';

/** Normalizes x (tokens, size), or only multiplies and adds. */
type BottleneckNorm = (module: string, x: string, size: number, epsilon: number) => string;

interface Settings {
  hidden: number;
  /** The size of the states in a layer. */
  narrow: number;
  inner: number;
  epsilon: number;
  feeds: number;
  /** The input of queries and keys, and that of values. */
  inputs: { queries: 'narrow' | 'attention' | 'hidden'; values: 'narrow' | 'hidden' };
  bottleneck: boolean;
  norm: BottleneckNorm;
  act: Activation;
}

/** The epsilon of the norms that have no setting. */
const EPSILON = 1e-5;

/** transformers' MobileBertConfig and modeling_mobilebert.py. */
export const mobilebert: Family = {
  prefixes: ['mobilebert.'],
  marker: 'embeddings.word_embeddings.weight',
  build(net, config) {
    const settings = settingsOf(net, config);
    const { hidden, narrow } = settings;
    const heads = config.count('num_attention_heads', 4);
    const layers = config.layers('num_hidden_layers', 24);
    const width = headWidth(config, narrow, heads);
    const inputs = textInputs(net);
    const { mask, rows } = inputs;
    const shape = { heads, keyValueHeads: heads, width, rows, bias: paddingBias(net, mask) };
    let x = embeddings(net, config, inputs, settings);
    for (let i = 0; i < layers; i++) x = layer(net, `encoder.layer.${i}`, x, shape, settings);
    hiddenOutput(net, x, rows, hidden);
  },
};

function settingsOf(net: Network, config: Config): Settings {
  const hidden = config.count('hidden_size', 512);
  const bottleneck = config.flag('use_bottleneck', true);
  const narrow = bottleneck ? config.count('intra_bottleneck_size', 128) : hidden;
  // A second name for it.
  config.require('true_hidden_size', narrow);
  return {
    ...{ hidden, narrow, bottleneck },
    inner: config.count('intermediate_size', 512),
    epsilon: config.number('layer_norm_eps', 1e-12),
    feeds: config.count('num_feedforward_networks', 4),
    inputs: bottleneck ? inputsOf(config, hidden === narrow) : { queries: 'hidden', values: 'hidden' },
    norm: normOf(net, config),
    act: activationOf(config, 'hidden_act', 'relu'),
  };
}

/** @param equal true if states have the same size within a layer, without which transformers cannot run the last kind */
function inputsOf(config: Config, equal: boolean): Settings['inputs'] {
  if (config.flag('use_bottleneck_attention', false)) return { queries: 'narrow', values: 'narrow' };
  if (config.flag('key_query_shared_bottleneck', true)) return { queries: 'attention', values: 'hidden' };
  if (!equal) throw config.unsupported('key_query_shared_bottleneck', [true]);
  return { queries: 'hidden', values: 'hidden' };
}

function normOf(net: Network, config: Config): BottleneckNorm {
  const kind = config.text('normalization_type', 'no_norm');
  if (kind === 'layer_norm') return (module, x, size, epsilon) => layerNorm(net, module, x, size, epsilon);
  if (kind !== 'no_norm') throw config.unsupported('normalization_type', ['no_norm', 'layer_norm']);
  return (module, x, size) => {
    const scaled = net.op(module, 'Mul', [x, net.weight(`${module}.weight`, [size])]);
    return net.op(module, 'Add', [scaled, net.weight(`${module}.bias`, [size])]);
  };
}

/** (tokens, hidden). */
function embeddings(
  net: Network,
  config: Config,
  inputs: TextInputs,
  { hidden, norm }: Pick<Settings, 'hidden' | 'norm'>,
): string {
  const at = 'embeddings';
  const size = config.count('embedding_size', 128);
  const vocabulary = config.count('vocab_size', 30522);
  let words = embedding(net, `${at}.word_embeddings`, inputs.ids, vocabulary, size);
  const trigrams = config.flag('trigram_input', true);
  if (trigrams || size !== hidden) {
    const from = trigrams ? 3 * size : size;
    const read = flat(net, trigrams ? withNeighbours(net, words) : words, from);
    const wide = linear(net, `${at}.embedding_transformation`, read, { from, to: hidden });
    words = inRows(net, wide, inputs.rows, hidden);
  }
  const sum = withPlaces(net, inputs, words, hidden, {
    types: config.count('type_vocab_size', 2),
    positions: config.count('max_position_embeddings', 512),
  });
  return norm(`${at}.LayerNorm`, flat(net, sum, hidden), hidden, EPSILON);
}

/** The embedding of the next token, of each token, and of the one before it: (batch, sequence, 3 · size). */
function withNeighbours(net: Network, words: string): string {
  const at = 'embeddings';
  // Zeros before the first token and after the last.
  const padded = net.op(at, 'Pad', [words, net.g.ints([0, 1, 0, 0, 1, 0])], { mode: 'constant' });
  const part = (from: number, to: number) =>
    net.op(at, 'Slice', [padded, net.g.ints([from]), net.g.ints([to]), net.g.ints([1])]);
  return net.op(at, 'Concat', [part(2, 2 ** 31 - 1), words, part(0, -2)], { axis: 2 });
}

/** A layer on x (tokens, hidden), whose parts read and write states of another size between two bottlenecks. */
function layer(net: Network, at: string, x: string, shape: AttentionShape, settings: Settings): string {
  const { hidden, narrow, inner, epsilon, feeds, inputs, bottleneck, norm, act } = settings;
  const squeezed = (name: string) => {
    const module = `${at}.bottleneck.${name}`;
    const dense = linear(net, `${module}.dense`, x, { from: hidden, to: narrow });
    return norm(`${module}.LayerNorm`, dense, narrow, epsilon);
  };
  const start = bottleneck ? squeezed('input') : x;
  const read = (from: Settings['inputs']['queries']) =>
    from === 'hidden' ? x : from === 'narrow' ? start : squeezed('attention');
  const self = `${at}.attention.self`;
  const project = (name: string, from: string, size: number) =>
    linear(net, `${self}.${name}`, from, { from: size, to: narrow });
  const queries = read(inputs.queries);
  const projections = {
    query: project('query', queries, narrow),
    key: project('key', queries, narrow),
    value: project('value', read(inputs.values), inputs.values === 'hidden' ? hidden : narrow),
  };
  /** The output of a part, with its input added, normed. */
  const added = (module: string, y: string, from: number, to: string, eps: number) => {
    const dense = linear(net, `${module}.dense`, y, { from, to: narrow });
    return norm(`${module}.LayerNorm`, net.op(module, 'Add', [dense, to]), narrow, eps);
  };
  const feed = (module: string, y: string, eps: number) => {
    const wide = linear(net, `${module}.intermediate.dense`, y, { from: narrow, to: inner });
    const active = act(net, `${module}.intermediate.intermediate_act_fn`, wide);
    return added(`${module}.output`, active, inner, y, eps);
  };
  let y = added(`${at}.attention.output`, attention(net, self, projections, shape), narrow, start, epsilon);
  for (let i = 0; i < feeds - 1; i++) y = feed(`${at}.ffn.${i}`, y, epsilon);
  const end = feed(at, y, EPSILON);
  if (!bottleneck) return end;
  const out = `${at}.output.bottleneck`;
  const wide = linear(net, `${out}.dense`, end, { from: narrow, to: hidden });
  return norm(`${out}.LayerNorm`, net.op(out, 'Add', [wide, x]), hidden, epsilon);
}
