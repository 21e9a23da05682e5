import { DType } from '../../../graph/dtype';
import { type Activation, activationOf, SILU } from '../../blocks/activation';
import { conv2d, groupNorm } from '../../blocks/images';
import { linear } from '../../blocks/layers';
import { type Network, USUAL_SIZES } from '../../blocks/network';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import type { Tokens } from './attention';
import { Blocks, unetShape } from './unet-blocks';

/** UNet2DConditionModel in diffusers (unet_2d_condition.py), in the shapes of Stable Diffusion 1, 2 and XL. */
export const unet: Family = {
  prefixes: [''],
  marker: 'conv_in.weight',
  build(net, config) {
    refuse(config);
    const shape = unetShape(config);
    const { act, norm } = shape;
    const channels = config.count('in_channels', 4);
    const sample = net.g.addInput('sample', DType.float, ['batch', channels, 'height', 'width']);
    const timestep = net.g.addInput('timestep', DType.int64, ['batch']);
    const batch = net.op('', 'Shape', [sample], { start: 0, end: 1 });
    const context = contextOf(net, config, shape.context);
    const time = timeOf(net, config, { timestep, batch }, shape.down[0].channels, act);
    const centered = config.flag('center_input_sample', false)
      ? net.op('', 'Sub', [net.op('', 'Mul', [sample, net.float(2)]), net.float(1)])
      : sample;
    const kernel = (name: string) => config.count(`${name}_kernel`, 3);
    const [first] = shape.down;
    let x = conv2d(net, 'conv_in', centered, {
      from: channels,
      to: first.channels,
      kernel: kernel('conv_in'),
    });
    x = new Blocks(net, config, shape, { context, time, batch }).all(x);
    x = act(net, '', groupNorm(net, 'conv_norm_out', x, first.channels, norm));
    const to = config.count('out_channels', 4);
    x = conv2d(net, 'conv_out', x, { from: first.channels, to, kernel: kernel('conv_out') });
    const [high, wide] = config.size('sample_size', LATENTS);
    net.metadata.set(
      USUAL_SIZES,
      JSON.stringify({ height: high, width: wide, sequence: TOKENS, ...textSizes(config) }),
    );
    net.output('out_sample', x, ['batch', to, 'height', 'width']);
  },
};

/** The latents of Stable Diffusion 1: 512 pixels. */
const LATENTS = 64;
/** The tokens of a prompt for CLIP. */
const TOKENS = 77;
/** Original height and width, top and left of the crop, target height and width. */
const IDS = 6;

/** The usual number of time ids, and the width that it leaves for the text embeddings. */
function textSizes(config: Config): Record<string, number> {
  if (!config.has('addition_embed_type')) return {};
  const whole = config.count('projection_class_embeddings_input_dim');
  const text = whole - IDS * config.count('addition_time_embed_dim');
  return text > 0 ? { ids: IDS, text_size: text } : {};
}

/** Settings of other models of this class, which need other inputs or modules. */
function refuse(config: Config): void {
  for (const key of ['num_attention_heads', 'class_embed_type', 'num_class_embeds', 'time_cond_proj_dim'])
    config.require(key, null);
  config.require('dual_cross_attention', false);
  config.require('class_embeddings_concat', false);
  config.require('attention_type', 'default');
  config.require('time_embedding_type', 'positional');
  config.require('addition_embed_type', null, 'text_time');
  config.require('resnet_time_scale_shift', 'default', 'scale_shift');
  config.require('encoder_hid_dim_type', null, 'text_proj');
}

/** The input encoder_hidden_states as rows of vectors, projected if the text encoder's have another size. */
function contextOf(net: Network, config: Config, size: number): Tokens {
  const from = config.has('encoder_hid_dim') ? config.count('encoder_hid_dim') : size;
  const states = net.g.addInput('encoder_hidden_states', DType.float, ['batch', 'sequence', from]);
  const x = net.op('', 'Reshape', [states, net.g.ints([-1, from])]);
  if (!config.has('encoder_hid_dim')) return { x, size };
  return { x: linear(net, 'encoder_hid_proj', x, { from, to: size }), size };
}

/** The activated embedding of the time, and of the other conditions of a whole picture: (batch, size). */
function timeOf(
  net: Network,
  config: Config,
  { timestep, batch }: { timestep: string; batch: string },
  channels: number,
  act: Activation,
): { x: string; size: number } {
  const kind: Waves = {
    cosineFirst: config.flag('flip_sin_to_cos', true),
    shift: config.fromZero('freq_shift', 0),
  };
  const size = config.count('time_embedding_dim', 4 * channels);
  const at = net.op('time_proj', 'Cast', [timestep], { to: DType.float });
  const sizes = { from: channels, to: size };
  let x = timeEmbedding(net, 'time_embedding', () => waves(net, 'time_proj', at, channels, kind), sizes, act);
  if (config.has('timestep_post_act'))
    x = activationOf(config, 'timestep_post_act', '')(net, 'time_embedding', x);
  if (config.has('addition_embed_type')) x = net.op('', 'Add', [x, addedTo(net, config, batch, size, kind)]);
  if (config.has('time_embedding_act_fn')) x = activationOf(config, 'time_embedding_act_fn', '')(net, '', x);
  return { x: act(net, '', x), size };
}

/**
 * `text_time`: the pooled text embedding beside the waves of a few numbers, such as the picture's size: six in SDXL, five
 * in its refiner. Only the size of both together is known.
 *
 * @param batch a vector tensor: (batch)
 */
function addedTo(net: Network, config: Config, batch: string, size: number, kind: Waves): string {
  const each = config.count('addition_time_embed_dim');
  const from = config.count('projection_class_embeddings_input_dim');
  if (each >= from) throw config.unsupported('addition_time_embed_dim', [`less than ${from}`]);
  const input = () => {
    const embeds = net.g.addInput('text_embeds', DType.float, ['batch', 'text_size']);
    const ids = net.g.addInput('time_ids', DType.float, ['batch', 'ids']);
    const flat = net.op('add_time_proj', 'Reshape', [ids, net.g.ints([-1])]);
    const made = waves(net, 'add_time_proj', flat, each, kind);
    const rows = net.op('add_time_proj', 'Concat', [batch, net.g.ints([-1])], { axis: 0 });
    const beside = net.op('add_time_proj', 'Reshape', [made, rows]);
    return net.op('', 'Concat', [embeds, beside], { axis: 1 });
  };
  return timeEmbedding(net, 'add_embedding', input, { from, to: size }, SILU);
}

/** The conversion of numbers to waves. */
interface Waves {
  /** True if cosines come before sines. */
  cosineFirst: boolean;
  /** The shift of the slowest wave (`freq_shift`). */
  shift: number;
}

const LONGEST = 10_000;

/**
 * Timesteps in diffusers: cosines and sines of x at wavelengths that grow by a constant factor.
 *
 * @param x (batch)
 * @returns (batch, size)
 */
function waves(net: Network, module: string, x: string, size: number, { cosineFirst, shift }: Waves): string {
  const half = Math.floor(size / 2);
  const rates = Array.from({ length: half }, (_, i) => Math.exp((-Math.log(LONGEST) * i) / (half - shift)));
  const column = net.op(module, 'Unsqueeze', [x, net.g.ints([1])]);
  const angles = net.op(module, 'Mul', [column, net.g.constant(DType.float, [1, half], rates)]);
  const parts = (cosineFirst ? ['Cos', 'Sin'] : ['Sin', 'Cos']).map((f) => net.op(module, f, [angles]));
  const both = net.op(module, 'Concat', parts, { axis: 1 });
  return size === 2 * half ? both : net.op(module, 'Pad', [both, net.g.ints([0, 0, 0, 1])]);
}

/**
 * TimestepEmbedding: two linear layers, (batch, from) to (batch, to).
 *
 * @param input makes their input, once the weights have shown that its size is real
 */
function timeEmbedding(
  net: Network,
  module: string,
  input: () => string,
  { from, to }: { from: number; to: number },
  act: Activation,
): string {
  net.weight(`${module}.linear_1.weight`, [to, from]);
  const x = input();
  const wide = act(net, module, linear(net, `${module}.linear_1`, x, { from, to }));
  return linear(net, `${module}.linear_2`, wide, { from: to, to });
}
