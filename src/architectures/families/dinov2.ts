import { activationOf } from '../blocks/activation';
import { preNormLayer, type EncoderLayer } from '../blocks/encoder-layer';
import { layerNorm, linear } from '../blocks/layers';
import type { Network } from '../blocks/network';
import { patches, patchTokens } from '../blocks/patches';
import { hiddenOutput } from '../blocks/text';
import type { Family } from '../family';
import { BASE_SIZE, encoderSize } from './encoder-size';

/** Dinov2Model in transformers (modeling_dinov2.py). */
export const dinov2: Family = {
  prefixes: ['dinov2.'],
  marker: 'embeddings.cls_token',
  build(net, config) {
    const { hidden, layers, heads, width, epsilon } = encoderSize(config, { ...BASE_SIZE, epsilon: 1e-6 });
    const inner = Math.floor(hidden * config.number('mlp_ratio', 4));
    // transformers takes the table of another shape for that of a square, and interpolates it.
    const [height, across] = config.size('image_size', 224);
    if (height !== across) throw config.unsupported('image_size', [height, across]);
    const module = 'embeddings.patch_embeddings.projection';
    const cut = patches(net, config, { module, hidden, patch: 14, bias: true });
    const token = net.weight('embeddings.cls_token', [1, 1, hidden]);
    const table = net.weight('embeddings.position_embeddings', [1, 1 + cut.count, hidden]);
    const { x: embedded, rows } = patchTokens(net, cut, hidden, [token], table);
    const layer: EncoderLayer = {
      size: { hidden, inner, epsilon },
      shape: { heads, keyValueHeads: heads, width, rows },
      act: activationOf(config, 'hidden_act', 'gelu'),
      bias: config.flag('qkv_bias', true),
    };
    const gated = config.flag('use_swiglu_ffn', false);
    let x = embedded;
    for (let i = 0; i < layers; i++) {
      const at = `encoder.layer.${i}`;
      const scale = (name: string) => net.weight(`${at}.${name}.lambda1`, [hidden]);
      const scales = [scale('layer_scale1'), scale('layer_scale2')] as const;
      const feed = gated ? (y: string) => swiglu(net, `${at}.mlp`, y, hidden, inner) : undefined;
      x = preNormLayer(net, x, modulesOf(at), layer, { feed, scales });
    }
    hiddenOutput(net, layerNorm(net, 'layernorm', x, hidden, epsilon), rows, hidden);
  },
};

/** silu(a) · b of one layer's two halves, with two thirds of the width, rounded up to eights. */
function swiglu(net: Network, at: string, x: string, hidden: number, inner: number): string {
  const half = Math.ceil(Math.floor((inner * 2) / 3) / 8) * 8;
  const packed = linear(net, `${at}.weights_in`, x, { from: hidden, to: 2 * half });
  const [a, b] = net.ops(at, 'Split', [packed], { axis: -1, num_outputs: 2 }, 2);
  const gate = net.op(at, 'Mul', [a, net.op(at, 'Sigmoid', [a])]);
  return linear(net, `${at}.weights_out`, net.op(at, 'Mul', [gate, b]), { from: half, to: hidden });
}

const modulesOf = (at: string) => ({
  attention: `${at}.attention.attention`,
  query: `${at}.attention.attention.query`,
  key: `${at}.attention.attention.key`,
  value: `${at}.attention.attention.value`,
  output: `${at}.attention.output.dense`,
  attentionNorm: `${at}.norm1`,
  up: `${at}.mlp.fc1`,
  activation: `${at}.mlp.activation`,
  down: `${at}.mlp.fc2`,
  norm: `${at}.norm2`,
});
