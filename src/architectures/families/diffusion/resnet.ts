import type { Activation } from '../../blocks/activation';
import { conv2d, groupNorm, type Groups } from '../../blocks/images';
import { linear } from '../../blocks/layers';
import type { Network } from '../../blocks/network';

/** The settings that all resnets of a model share. */
export interface ResnetKind {
  norm: Groups;
  act: Activation;
  /** The activated time embedding (batch, size); undefined in an autoencoder. */
  time?: { x: string; size: number };
  /** True if the time scales and shifts the result of the second norm, rather than being added before it. */
  scaleShift?: boolean;
  /** The sum is divided by it; 1 by default. */
  divisor?: number;
}

/** ResnetBlock2D in diffusers on x (batch, from, height, width): (batch, to, height, width). */
export function resnet(
  net: Network,
  module: string,
  x: string,
  { from, to }: { from: number; to: number },
  { norm, act, time, scaleShift = false, divisor = 1 }: ResnetKind,
): string {
  const first = act(net, module, groupNorm(net, `${module}.norm1`, x, from, norm));
  const inner = conv2d(net, `${module}.conv1`, first, { from, to });
  const at = `${module}.time_emb_proj`;
  const projected =
    time && perChannel(net, at, linear(net, at, time.x, { from: time.size, to: scaleShift ? 2 * to : to }));
  const timed = projected && !scaleShift ? net.op(module, 'Add', [inner, projected]) : inner;
  let normal = groupNorm(net, `${module}.norm2`, timed, to, norm);
  if (projected && scaleShift) {
    const [scale, shift] = net.ops(at, 'Split', [projected, net.g.ints([to, to])], { axis: 1 }, 2);
    normal = net.op(module, 'Mul', [normal, net.op(module, 'Add', [scale, net.float(1)])]);
    normal = net.op(module, 'Add', [normal, shift]);
  }
  const second = conv2d(net, `${module}.conv2`, act(net, module, normal), { from: to, to });
  const short = from === to ? x : conv2d(net, `${module}.conv_shortcut`, x, { from, to, kernel: 1 });
  const sum = net.op(module, 'Add', [short, second]);
  return divisor === 1 ? sum : net.op(module, 'Div', [sum, net.float(divisor)]);
}

/** (batch, channels) to (batch, channels, 1, 1). */
const perChannel = (net: Network, module: string, x: string): string =>
  net.op(module, 'Unsqueeze', [x, net.g.ints([2, 3])]);

/** Downsample2D: half the height and width. Without padding, zeros follow the last row and column. */
export const downsampled = (
  net: Network,
  module: string,
  x: string,
  channels: number,
  padding: number,
): string =>
  conv2d(net, module, x, {
    from: channels,
    to: channels,
    stride: 2,
    pads: padding === 0 ? [0, 0, 1, 1] : [padding, padding, padding, padding],
  });
