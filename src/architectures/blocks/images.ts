import { DType } from '../../graph/dtype';
import type { Network } from './network';

/** Sizes of a convolution over images. */
export interface ConvSize {
  from: number;
  to: number;
  /** Side of its kernel; 3 by default. */
  kernel?: number;
  stride?: number;
  /** Channels are divided into so many groups, each of which reads only the same one; 1 by default. */
  group?: number;
  /** Margins: top, left, bottom, right; by default those that keep height and width. */
  pads?: readonly [number, number, number, number];
}

/** nn.Conv2d with a bias on x (batch, from, height, width). */
export function conv2d(net: Network, module: string, x: string, size: ConvSize): string {
  const { from, to, kernel = 3, stride = 1, group = 1 } = size;
  const margin = Math.floor((kernel - 1) / 2);
  const pads = [...(size.pads ?? [margin, margin, margin, margin])];
  const inputs = [
    x,
    net.weight(`${module}.weight`, [to, from / group, kernel, kernel]),
    net.weight(`${module}.bias`, [to]),
  ];
  return net.op(module, 'Conv', inputs, {
    kernel_shape: [kernel, kernel],
    pads,
    strides: [stride, stride],
    ...(group > 1 && { group }),
  });
}

/** Settings of nn.GroupNorm. */
export interface Groups {
  groups: number;
  epsilon: number;
}

/**
 * nn.GroupNorm on x (batch, channels, height, width), as torch.onnx writes it: runtimes normalize each row in one pass.
 */
export function groupNorm(
  net: Network,
  module: string,
  x: string,
  channels: number,
  { groups, epsilon }: Groups,
): string {
  const rows = net.op(module, 'Reshape', [x, net.g.ints([0, groups, -1])]);
  const [ones, zeros] = [1, 0].map((v) =>
    net.g.constant(DType.float, [groups], new Array<number>(groups).fill(v)),
  );
  const normal = net.op(module, 'InstanceNormalization', [rows, ones, zeros], {
    epsilon: { float: epsilon },
  });
  const image = net.op(module, 'Reshape', [normal, net.op(module, 'Shape', [x])]);
  const perChannel = (part: string) =>
    net.op(module, 'Unsqueeze', [net.weight(`${module}.${part}`, [channels]), net.g.ints([1, 2])]);
  const scaled = net.op(module, 'Mul', [image, perChannel('weight')]);
  return net.op(module, 'Add', [scaled, perChannel('bias')]);
}

/** Height and width doubled: each position four times. */
export const doubled = (net: Network, module: string, x: string): string =>
  net.op(module, 'Resize', [x, '', net.g.constant(DType.float, [4], [1, 1, 2, 2])], {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  });
