import { realPower } from '../../../base/power';
import { DType } from '../../../graph/dtype';
import { activationOf, type Activation } from '../../blocks/activation';
import { preNormLayer, type EncoderLayer } from '../../blocks/encoder-layer';
import { layerNorm, linear } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { patches, patchTokens } from '../../blocks/patches';
import type { Rotate } from '../../blocks/rope';
import { hiddenOutput } from '../../blocks/text';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { preparedSize } from '../../folder/prepared-size';
import { encoderSize } from '../../settings';

const SMALL = { hidden: 384, inner: 1536, layers: 12, heads: 6, epsilon: 1e-5 };

/** More rows of patches than any picture has: an angle for each is held in memory. */
const MOST_ROWS = 4096;

/**
 * DINOv3ViTModel in transformers (modular_dinov3_vit.py, DINOv3ViTConfig), with its positions as they are: in training,
 * transformers also shifts and stretches them at random (pos_embed_shift, pos_embed_jitter, pos_embed_rescale).
 */
export const dinov3: Family = {
  prefixes: [''],
  marker: 'embeddings.cls_token',
  build(net, config) {
    const { hidden, inner, layers, heads, width, epsilon } = encoderSize(config, SMALL);
    if (width % 4 !== 0) throw config.unsupported('num_attention_heads', [hidden / 4]);
    // Images of any size are read.
    const size = preparedSize(config.path);
    const module = 'embeddings.patch_embeddings';
    const cut = patches(net, config, { module, hidden, patch: 16, bias: true, size });
    if (cut.grid.some((count) => count > MOST_ROWS)) throw config.unsupported('image_size', [224]);
    const token = net.weight('embeddings.cls_token', [1, 1, hidden]);
    const count = config.index('num_register_tokens', 0);
    const registers =
      count === 0
        ? undefined
        : { table: net.weight('embeddings.register_tokens', [1, count, hidden]), count };
    const { x: embedded, rows } = patchTokens(net, cut, hidden, [token], undefined, registers);
    const theta = config.number('rope_theta', 100);
    const layer: EncoderLayer = {
      size: { hidden, inner, epsilon },
      shape: { heads, keyValueHeads: heads, width, rows },
      act: activationOf(config, 'hidden_act', 'gelu'),
      bias: {
        query: config.flag('query_bias', true),
        key: config.flag('key_bias', false),
        value: config.flag('value_bias', true),
      },
      outputBias: config.flag('proj_bias', true),
      options: { rotate: patchRotation(net, cut.grid, { width, theta, first: 1 + count }) },
    };
    let x = embedded;
    for (let i = 0; i < layers; i++) {
      const at = `layer.${i}`;
      const scale = (name: string) => net.weight(`${at}.${name}.lambda1`, [hidden]);
      const scales = [scale('layer_scale1'), scale('layer_scale2')] as const;
      const feed = (y: string) => feedForward(net, config, `${at}.mlp`, y, { hidden, inner, act: layer.act });
      x = preNormLayer(net, x, modulesOf(at), layer, { feed, scales });
    }
    hiddenOutput(net, layerNorm(net, 'norm', x, hidden, epsilon), rows, hidden);
  },
};

function feedForward(
  net: Network,
  config: Config,
  at: string,
  x: string,
  { hidden, inner, act }: { hidden: number; inner: number; act: Activation },
): string {
  const bias = config.flag('mlp_bias', true);
  const wide = (name: string) => linear(net, `${at}.${name}`, x, { from: hidden, to: inner, bias });
  const activated = (y: string) => act(net, `${at}.act_fn`, y);
  const middle = config.flag('use_gated_mlp', false)
    ? net.op(at, 'Mul', [activated(wide('gate_proj')), wide('up_proj')])
    : activated(wide('up_proj'));
  return linear(net, `${at}.down_proj`, middle, { from: inner, to: hidden, bias });
}

/**
 * Turns features i and i + width / 2 of a patch by its row, for the first half of these pairs, or by its column, for the
 * second: 2π · place · theta ^ (−4i / width), with places from −1 to 1. Tokens before the patches are not turned.
 *
 * @param first the number of such tokens
 */
function patchRotation(
  net: Network,
  [rows, columns]: readonly [number, number],
  { width, theta, first }: { width: number; theta: number; first: number },
): Rotate {
  const at = 'rope_embeddings';
  const [half, quarter] = [width / 2, width / 4];
  const shaped = (x: string, ...dims: number[]) => net.op(at, 'Reshape', [x, net.g.ints(dims)]);
  const frequencies = Array.from({ length: quarter }, (_, i) => realPower(theta, -i / quarter));
  /** The angles of one direction, for all patches: (rows, columns, quarter). */
  const angles = (count: number, dims: number[]) => {
    const values = Array.from({ length: count }, (_, place) =>
      frequencies.map((f) => 2 * Math.PI * ((2 * (place + 0.5)) / count - 1) * f),
    ).flat();
    const own = net.g.constant(DType.float, [...dims, quarter], values);
    return net.op(at, 'Expand', [own, net.g.ints([rows, columns, quarter])]);
  };
  const both = net.op(at, 'Concat', [angles(rows, [rows, 1]), angles(columns, [1, columns])], { axis: 2 });
  const all = net.op(at, 'Pad', [shaped(both, rows * columns, half), net.g.ints([first, 0, 0, 0])]);
  const [cos, sin] = ['Cos', 'Sin'].map((type) => net.op(at, type, [all]));
  return (x) => {
    const [a, b] = net.ops(at, 'Split', [x, net.g.ints([half, half])], { axis: -1 }, 2);
    const times = (v: string, by: string) => net.op(at, 'Mul', [v, by]);
    const turned = [
      net.op(at, 'Sub', [times(a, cos), times(b, sin)]),
      net.op(at, 'Add', [times(b, cos), times(a, sin)]),
    ];
    return net.op(at, 'Concat', turned, { axis: -1 });
  };
}

const modulesOf = (at: string) => ({
  attention: `${at}.attention`,
  query: `${at}.attention.q_proj`,
  key: `${at}.attention.k_proj`,
  value: `${at}.attention.v_proj`,
  output: `${at}.attention.o_proj`,
  attentionNorm: `${at}.norm1`,
  up: `${at}.mlp.up_proj`,
  activation: `${at}.mlp.act_fn`,
  down: `${at}.mlp.down_proj`,
  norm: `${at}.norm2`,
});
