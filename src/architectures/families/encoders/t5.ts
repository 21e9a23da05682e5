import { activationOf } from '../../blocks/activation';
import { attention, paddingBias } from '../../blocks/attention';
import { distanceBias } from '../../blocks/distance-bias';
import { linear, rmsNorm } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { embedding, flat, hiddenOutput, textInputs } from '../../blocks/text';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';

/** For a config.json that leaves them out. */
interface T5Defaults {
  vocabulary: number;
  inner: number;
  layers: number;
  heads: number;
  feedForward: string;
}

/** T5EncoderModel in transformers (modeling_t5.py); the decoder beside it is not used. */
const t5Like = (defaults: T5Defaults): Family => ({
  prefixes: ['transformer.'],
  marker: 'encoder.final_layer_norm.weight',
  build: (net, config) => build(net, config, defaults),
});

export const t5 = t5Like({ vocabulary: 32128, inner: 2048, layers: 6, heads: 8, feedForward: 'relu' });

/** transformers' MT5Config. */
export const mt5 = t5Like({
  vocabulary: 250112,
  inner: 1024,
  layers: 8,
  heads: 6,
  feedForward: 'gated-gelu',
});

const NAMES = {
  hidden_size: 'd_model',
  head_dim: 'd_kv',
  num_attention_heads: 'num_heads',
  num_hidden_layers: 'num_layers',
};

function build(net: Network, given: Config, defaults: T5Defaults): void {
  const config = given.renamed(NAMES);
  const hidden = config.count('d_model', 512);
  const width = config.count('d_kv', 64);
  const heads = config.count('num_heads', defaults.heads);
  const layers = config.layers('num_layers', defaults.layers);
  const epsilon = config.number('layer_norm_epsilon', 1e-6);
  const feed = feedForward(net, config, hidden, defaults);
  const { ids, mask, rows } = textInputs(net);
  const table = ['shared', 'encoder.embed_tokens'].find((name) => net.weights.has(`${name}.weight`));
  const words = config.count('vocab_size', defaults.vocabulary);
  let x = flat(net, embedding(net, table ?? 'shared', ids, words, hidden), hidden);
  const distances = net.op('encoder', 'Add', [
    distanceBias(net, rows, tableOf(config, heads)),
    paddingBias(net, mask),
  ]);
  const shape = { heads, keyValueHeads: heads, width, rows, bias: distances };
  const norm = (name: string, y: string) => rmsNorm(net, name, y, hidden, epsilon);
  for (let i = 0; i < layers; i++) {
    const [first, second] = [0, 1].map((n) => `encoder.block.${i}.layer.${n}`);
    const at = `${first}.SelfAttention`;
    const before = norm(`${first}.layer_norm`, x);
    const of = (name: string) =>
      linear(net, `${at}.${name}`, before, { from: hidden, to: heads * width, bias: false });
    const mixed = attention(net, at, { query: of('q'), key: of('k'), value: of('v') }, shape, { scale: 1 });
    const attended = linear(net, `${at}.o`, mixed, { from: heads * width, to: hidden, bias: false });
    const middle = net.op(first, 'Add', [x, attended]);
    x = net.op(second, 'Add', [
      middle,
      feed(`${second}.DenseReluDense`, norm(`${second}.layer_norm`, middle)),
    ]);
  }
  hiddenOutput(net, norm('encoder.final_layer_norm', x), rows, hidden);
}

/** A table has a row for each distance up to this one. */
const FURTHEST = 65_536;

/** The first layer's, which all use. */
function tableOf(config: Config, heads: number) {
  const buckets = config.count('relative_attention_num_buckets', 32);
  const furthest = config.count('relative_attention_max_distance', 128);
  if (buckets < 4) throw config.unsupported('relative_attention_num_buckets', [32]);
  if (furthest <= buckets / 4 || furthest > FURTHEST)
    throw config.unsupported('relative_attention_max_distance', [128]);
  const module = 'encoder.block.0.layer.0.SelfAttention.relative_attention_bias';
  return { module, rows: buckets, heads, buckets, furthest };
}

/** `relu`, or `gated-gelu` for an activation times a second layer; the two keys that it stands for come first. */
function feedForward(net: Network, config: Config, hidden: number, defaults: T5Defaults) {
  const inner = config.count('d_ff', defaults.inner);
  const kind = config.text('feed_forward_proj', defaults.feedForward);
  const gated = config.flag('is_gated_act', kind.startsWith('gated-'));
  const name = kind === 'gated-gelu' ? 'gelu_new' : kind.replace('gated-', '');
  const act = activationOf(config, 'dense_act_fn', name);
  return (at: string, x: string): string => {
    const wide = (module: string) =>
      linear(net, `${at}.${module}`, x, { from: hidden, to: inner, bias: false });
    const active = act(net, `${at}.act`, wide(gated ? 'wi_0' : 'wi'));
    const fed = gated ? net.op(at, 'Mul', [active, wide('wi_1')]) : active;
    return linear(net, `${at}.wo`, fed, { from: inner, to: hidden, bias: false });
  };
}
