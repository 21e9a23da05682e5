import { GELU } from '../../blocks/activation';
import { alibi, alibiSlopes } from '../../blocks/alibi';
import { attention } from '../../blocks/attention';
import { DecoderInputs, decoderOutputs, feedForward } from '../../blocks/decoder';
import { layerNorm, linear } from '../../blocks/layers';
import { type Network, POSITIONS } from '../../blocks/network';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { headWidth } from '../../settings';

const EMBEDDING = 'wte';

/** Sizes have two names, of which transformers prefers these. */
const OTHER_NAMES = { hidden_size: 'd_model', num_attention_heads: 'n_heads', num_hidden_layers: 'n_layers' };

/**
 * transformers' MptConfig and modeling_mpt.py: ALiBi by place, no biases, and norms with a weight alone. As there, other
 * settings of MosaicML's own code have no effect: `alibi_bias_max`, `expansion_ratio`, `logit_scale`, `no_bias` …
 */
export const mpt: Family = {
  prefixes: ['transformer.'],
  marker: `${EMBEDDING}.weight`,
  caches: true,
  build: (net, config) => build(net, config.renamed(OTHER_NAMES)),
};

function build(net: Network, config: Config): void {
  const hidden = config.count('d_model', 2048);
  const heads = config.count('n_heads', 16);
  const layers = config.layers('n_layers', 24);
  const vocabulary = config.count('vocab_size', 50368);
  const epsilon = config.number('layer_norm_epsilon', 1e-5);
  const width = headWidth(config, hidden, heads);
  const settings = config.section('attn_config');
  const scale = settings?.number('softmax_scale', 1 / Math.sqrt(width));
  const most = settings?.fromZero('clip_qkv', 0) ?? 0;
  // The table of ALiBi in transformers has no more places.
  net.metadata.set(POSITIONS, String(config.count('max_seq_len', 2048)));
  const inputs = new DecoderInputs(net, config);
  let x = inputs.embedded(EMBEDDING, { vocabulary, hidden });
  const bias = net.op('', 'Add', [alibi(net, inputs.fromEnd, alibiSlopes(heads)), inputs.bias()]);
  const norm = (name: string, y: string) => layerNorm(net, name, y, hidden, epsilon, { bias: false });
  for (let i = 0; i < layers; i++) {
    const at = `blocks.${i}`;
    const self = `${at}.attn`;
    const fused = linear(net, `${self}.Wqkv`, norm(`${at}.norm_1`, x), {
      from: hidden,
      to: 3 * hidden,
      bias: false,
    });
    const kept = most === 0 ? fused : net.op(self, 'Clip', [fused, net.float(-most), net.float(most)]);
    const [query, key, value] = net.ops(self, 'Split', [kept], { axis: -1, num_outputs: 3 }, 3);
    const shape = { ...inputs.shape({ heads, keyValueHeads: heads, width }, i), bias };
    const mixed = attention(net, self, { query, key, value }, shape, { scale });
    const attended = linear(net, `${self}.out_proj`, mixed, { from: hidden, to: hidden, bias: false });
    const middle = net.op(at, 'Add', [attended, x]);
    const after = norm(`${at}.norm_2`, middle);
    const fed = feedForward(net, `${at}.ffn`, after, { hidden, inner: 4 * hidden }, GELU, NAMES);
    x = net.op(at, 'Add', [fed, middle]);
  }
  const end = norm('norm_f', x);
  decoderOutputs(net, config, end, inputs.rows, { vocabulary, hidden }, { embedding: EMBEDDING, tied: true });
}

const NAMES = { up: 'up_proj', down: 'down_proj', bias: false };
