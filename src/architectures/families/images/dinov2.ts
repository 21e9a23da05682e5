import { activationOf } from '../../blocks/activation';
import { resizedGrid, patches, patchTokens, type Registers } from '../../blocks/patches';
import { preNormLayer, type EncoderLayer } from '../../blocks/encoder-layer';
import { layerNorm, linear } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { hiddenOutput } from '../../blocks/text';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { preparedSize } from '../../folder/prepared-size';
import { BASE_SIZE, encoderSize } from '../../settings';
import { vitModules } from './vit';

/** The differences between the two kinds of DINOv2. */
interface Dinov2Variant {
  /** Side of a patch if config.json does not state it. */
  patch: number;
  /** True if tokens that stand for no patch follow the first one, and the table of positions is resized smoothly. */
  registers: boolean;
}

const dinov2Like = (prefix: string, variant: Dinov2Variant): Family => ({
  prefixes: [prefix],
  marker: 'embeddings.cls_token',
  build: (net, config) => build(net, config, variant),
});

/** Dinov2Model in transformers (modeling_dinov2.py). */
export const dinov2 = dinov2Like('dinov2.', { patch: 14, registers: false });

/** Dinov2WithRegistersModel in transformers (modular_dinov2_with_registers.py). */
export const dinov2WithRegisters = dinov2Like('dinov2_with_registers.', { patch: 16, registers: true });

function build(net: Network, config: Config, variant: Dinov2Variant): void {
  const { hidden, layers, heads, width, epsilon } = encoderSize(config, { ...BASE_SIZE, epsilon: 1e-6 });
  const inner = Math.floor(hidden * config.number('mlp_ratio', 4));
  const patch = config.size('patch_size', variant.patch);
  const gridOf = (size: readonly number[]) => size.map((side, i) => Math.floor(side / patch[i]));
  const table = gridOf(config.size('image_size', 224));
  // DINOv2 reads images of any size, and is usually given smaller ones than it was trained with last.
  const size = preparedSize(config.path) ?? config.size('image_size', 224);
  const module = 'embeddings.patch_embeddings.projection';
  const cut = patches(net, config, { module, hidden, patch: variant.patch, bias: true, size });
  const token = net.weight('embeddings.cls_token', [1, 1, hidden]);
  const positions = positionsFor(net, config, { table, grid: gridOf(size), hidden, variant });
  const registers = variant.registers ? registersOf(net, config, hidden) : undefined;
  const { x: embedded, rows } = patchTokens(net, cut, hidden, [token], positions, registers);
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
}

function registersOf(net: Network, config: Config, hidden: number): Registers | undefined {
  const count = config.index('num_register_tokens', 4);
  const name = 'embeddings.register_tokens';
  return count === 0 ? undefined : { table: net.weight(name, [1, count, hidden]), count };
}

interface Positions {
  /** Rows and columns of patches that the table is for. */
  table: number[];
  /** The grid of the images. */
  grid: number[];
  hidden: number;
  variant: Dinov2Variant;
}

/**
 * The table of positions, resized to another grid of patches if that differs.
 *
 * @returns (1, 1 + patches, hidden)
 */
function positionsFor(
  net: Network,
  config: Config,
  { table: [rows, columns], grid: [height, width], hidden, variant }: Positions,
): string {
  const at = 'embeddings';
  const count = rows * columns;
  const table = net.weight(`${at}.position_embeddings`, [1, 1 + count, hidden]);
  if (rows === columns && height === rows && width === columns) return table;
  const side = Math.round(Math.sqrt(count));
  // transformers takes any table for that of a square.
  if (side * side !== count)
    throw config.unsupported('image_size', [side * config.size('patch_size', variant.patch)[0]]);
  const [first, grid] = net.ops(at, 'Split', [table, net.g.ints([1, count])], { axis: 1 }, 2);
  const made = { side, size: hidden, antialias: variant.registers };
  const resized = resizedGrid(net, grid, made, [height, width]);
  return net.op(at, 'Concat', [first, resized], { axis: 1 });
}

/** silu(a) · b of one layer's two halves, with two thirds of the width, rounded up to eights. */
function swiglu(net: Network, at: string, x: string, hidden: number, inner: number): string {
  const half = Math.ceil(Math.floor((inner * 2) / 3) / 8) * 8;
  const packed = linear(net, `${at}.weights_in`, x, { from: hidden, to: 2 * half });
  const [a, b] = net.ops(at, 'Split', [packed], { axis: -1, num_outputs: 2 }, 2);
  const gate = net.op(at, 'Mul', [a, net.op(at, 'Sigmoid', [a])]);
  return linear(net, `${at}.weights_out`, net.op(at, 'Mul', [gate, b]), { from: half, to: hidden });
}

const modulesOf = (at: string) => ({
  ...vitModules(at),
  attentionNorm: `${at}.norm1`,
  up: `${at}.mlp.fc1`,
  activation: `${at}.mlp.activation`,
  down: `${at}.mlp.fc2`,
  norm: `${at}.norm2`,
});
