import type { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import type { Axis, Input, Problem } from '../autodiff/problem';

/**
 * Operators for which ONNX Runtime only has float32 kernels, so both engines compute them and their gradients
 * in float32.
 */

const float = (shape: Axis[], more: Partial<Input> = {}): Input => ({ shape, dtype: DType.float, ...more });
const frozen = (shape: Axis[]): Input => float(shape, { frozen: true });

const image = (
  op: string,
  shape: Axis[],
  weight: number[] | undefined,
  attributes: Record<string, number | number[] | string>,
): Problem => ({
  inputs: {
    x: float(shape),
    ...(weight ? { w: frozen(weight), b: frozen([filters(op, weight, attributes)]) } : {}),
  },
  build: (g) => [g.op(op, weight ? ['x', 'w', 'b'] : ['x'], attributes)],
  open: ['a'],
});

const filters = (op: string, weight: number[], { group = 1 }: Record<string, unknown>): number =>
  op === 'Conv' ? weight[0] : weight[1] * Number(group);

const resized = (shape: Axis[], scales: number[], attributes: Record<string, string>): Problem => ({
  inputs: { x: float(['a', 2, ...shape]) },
  build: (g) => [g.op('Resize', ['x', '', g.constant(DType.float, [4], [1, 1, ...scales])], attributes)],
  open: ['a'],
});

const plain = (build: (g: GraphBuilder) => string, values: Input['values'] = 'away'): Problem => ({
  inputs: { x: float(['a', 'b', 4], { values }) },
  build: (g) => [build(g)],
  open: ['a', 'b'],
});

const channels = (op: string, parameters: number): Problem => {
  const names = ['scale', 'bias', 'mean', 'variance'].slice(0, parameters);
  const positive: Input = { ...frozen([3]), values: 'positive' };
  return {
    inputs: { x: float(['a', 3, 5, 4]), ...Object.fromEntries(names.map((n) => [n, positive])) },
    build: (g) => [g.op(op, ['x', ...names])],
    open: ['a'],
  };
};

export const FLOAT32: Record<string, Problem> = {
  'Conv, patches': image('Conv', ['a', 3, 8, 8], [5, 3, 4, 4], { strides: [4, 4] }),
  'Conv, a stride with a remainder': image('Conv', ['a', 2, 8, 7], [4, 2, 3, 3], {
    strides: [2, 3],
    pads: [1, 0, 1, 2],
  }),
  'Conv, groups': image('Conv', ['a', 4, 6, 5], [6, 2, 3, 3], { group: 2, pads: [1, 1, 1, 1] }),
  'Conv, depthwise': image('Conv', ['a', 4, 6], [4, 1, 3], { group: 4, dilations: [2], pads: [2, 2] }),
  'Conv, 3D': image('Conv', ['a', 2, 3, 4, 3], [3, 2, 2, 2, 2], {}),
  'Conv, SAME': image('Conv', ['a', 2, 7, 6], [4, 2, 3, 4], { auto_pad: 'SAME_LOWER', strides: [2, 1] }),
  'Conv, strides over open axes': {
    ...image('Conv', ['a', 2, 'b', 'c'], [4, 2, 1, 3], { strides: [3, 2], pads: [0, 2, 0, 1] }),
    open: ['a', 'b', 'c'],
  },
  'ConvTranspose, groups': image('ConvTranspose', ['a', 4, 3, 4], [4, 3, 3, 2], {
    strides: [2, 3],
    pads: [1, 0, 1, 0],
    output_padding: [1, 2],
    dilations: [2, 1],
    group: 2,
  }),
  'ConvTranspose, 1D over an open axis': {
    ...image('ConvTranspose', ['a', 2, 'b'], [2, 1, 4], { strides: [2], pads: [1, 1] }),
    open: ['a', 'b'],
  },
  'AveragePool, margins': image('AveragePool', ['a', 2, 5, 6], undefined, {
    kernel_shape: [3, 2],
    strides: [2, 2],
    pads: [1, 1, 1, 1],
  }),
  'AveragePool, ceil_mode': image('AveragePool', ['a', 2, 6], undefined, {
    kernel_shape: [3],
    strides: [2],
    ceil_mode: 1,
  }),
  'AveragePool, over open axes': {
    ...image('AveragePool', ['a', 'b', 'c', 4], undefined, {
      kernel_shape: [2, 2],
      strides: [2, 1],
      pads: [1, 0, 1, 0],
    }),
    open: ['a', 'b', 'c'],
  },
  GlobalMaxPool: channels('GlobalMaxPool', 0),
  'Resize, linear': resized([5, 4], [1.4, 2.3], { mode: 'linear' }),
  'Resize, cubic': resized([5, 4], [2, 0.6], { mode: 'cubic' }),
  'Resize, nearest': resized([5, 4], [0.7, 2], { mode: 'nearest' }),
  'Resize, repeated rows of open axes': {
    ...resized(['b', 'c'], [2, 3], { coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' }),
    open: ['a', 'b', 'c'],
  },
  BatchNormalization: channels('BatchNormalization', 4),
  InstanceNormalization: channels('InstanceNormalization', 2),
  GlobalAveragePool: channels('GlobalAveragePool', 0),
  Elu: plain((g) => g.op('Elu', ['x'], { alpha: { float: 0.7 } })),
  Erf: plain((g) => g.op('Erf', ['x'])),
  Gelu: plain((g) => g.op('Gelu', ['x'])),
  'Gelu, tanh approximation': plain((g) => g.op('Gelu', ['x'], { approximate: 'tanh' })),
  LeakyRelu: plain((g) => g.op('LeakyRelu', ['x'], { alpha: { float: 0.2 } })),
  Softplus: plain((g) => g.op('Softplus', ['x'])),
  Selu: plain((g) => g.op('Selu', ['x'])),
  Celu: plain((g) => g.op('Celu', ['x'], { alpha: { float: 2 } })),
  HardSigmoid: plain((g) => g.op('HardSigmoid', ['x'])),
  HardSwish: plain((g) => g.op('HardSwish', ['x'])),
  Mish: plain((g) => g.op('Mish', ['x'])),
  Softsign: plain((g) => g.op('Softsign', ['x'])),
  ThresholdedRelu: plain((g) => g.op('ThresholdedRelu', ['x'], { alpha: { float: 0.03 } })),
  Shrink: plain((g) => g.op('Shrink', ['x'], { lambd: { float: 0.03 } })),
  PRelu: {
    inputs: { x: float(['a', 3, 4], { values: 'away' }), slope: float([3, 1]) },
    build: (g) => [g.op('PRelu', ['x', 'slope'])],
    open: ['a'],
  },
};
