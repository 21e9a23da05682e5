import type { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import type { Input } from '../autodiff/problem';
import type { Sides } from './interpret';

/** A small graph of an operator without a gradient, or of an operator in an unusual form. */
export interface Forward {
  inputs: Record<string, Input>;
  build: (g: GraphBuilder) => string[];
  /** The sides on which its inputs may be placed: either by default. */
  sides?: Sides[];
}

const float = (...shape: number[]): Input => ({ shape, dtype: DType.float });
const whole = (low: number, high: number, ...shape: number[]): Input => ({
  shape,
  dtype: DType.int64,
  range: [low, high],
});
const truth = (...shape: number[]): Input => ({ shape, dtype: DType.bool, range: [0, 2] });

const pairs = (ops: string[], a: Input, b: Input): Record<string, Forward> =>
  Object.fromEntries(
    ops.map((op) => [
      `${op} of type ${a.dtype}`,
      { inputs: { a, b }, build: (g: GraphBuilder) => [g.op(op, ['a', 'b'])] },
    ]),
  );

const one = (input: Input, build: (g: GraphBuilder) => string | string[], sides?: Sides[]): Forward => ({
  inputs: { x: input },
  build: (g) => [build(g)].flat(),
  sides,
});

const COMPARE = ['Equal', 'Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual'];

const resized = (attributes: Record<string, string>, ...sizes: number[]): Forward =>
  one(float(1, 2, 5, 6), (g) => g.op('Resize', ['x', '', '', g.ints([1, 2, ...sizes])], attributes));

export const FORWARD: Record<string, Forward> = {
  ...pairs(COMPARE, whole(-2, 3, 2, 1, 4), whole(-2, 3, 3, 1)),
  ...pairs(COMPARE, float(3, 4), float(4)),
  ...pairs(['And', 'Or', 'Xor', 'Equal'], truth(2, 1, 4), truth(3, 1)),
  ...pairs(['Add', 'Sub', 'Mul', 'Max', 'Min'], whole(-9, 9, 2, 1, 4), whole(-9, 9, 3, 1)),
  ...pairs(['Div', 'Mod'], whole(-9, 9, 3, 4), whole(2, 5, 4)),
  'Mod with fmod': {
    inputs: { a: whole(-9, 9, 3, 4), b: whole(2, 5, 4) },
    build: (g) => [g.op('Mod', ['a', 'b'], { fmod: 1 })],
  },
  Not: one(truth(5), (g) => g.op('Not', ['x'])),
  'Where with integers': {
    inputs: { c: truth(3, 1), a: whole(-5, 5, 4), b: whole(-5, 5, 2, 1, 1) },
    build: (g) => [g.op('Where', ['c', 'a', 'b'])],
  },
  'Cast to bool and back': one(whole(-1, 2, 3, 4), (g) =>
    g.op('Cast', [g.op('Cast', ['x'], { to: DType.bool })], { to: DType.int32 }),
  ),
  'Cast towards zero': one(float(3, 4), (g) => g.op('Cast', ['x'], { to: DType.int64 })),
  'Shape of a part': one(float(2, 3, 4), (g) => g.op('Shape', ['x'], { start: -2, end: 3 })),
  Size: one(float(2, 3, 4), (g) => g.op('Size', ['x'])),
  Range: one(float(2, 7), (g) => {
    const size = g.op('Gather', [g.op('Shape', ['x']), g.scalar(1, DType.int64)]);
    return g.op('Range', [g.scalar(1, DType.int64), size, g.scalar(2, DType.int64)]);
  }),
  'ConstantOfShape without a value': one(float(2, 3), (g) => g.op('ConstantOfShape', [g.op('Shape', ['x'])])),
  'Expand of a bool': one(truth(3, 1), (g) => g.op('Expand', ['x', g.ints([2, 1, 4])])),
  'Expand to an empty tensor': one(float(3, 1), (g) => g.op('Expand', ['x', g.ints([0, 3, 4])])),
  'Tile of integers': one(whole(0, 9, 2, 3), (g) => g.op('Tile', ['x', g.ints([2, 3])])),
  NonZero: one(whole(0, 2, 3, 4), (g) => g.op('NonZero', ['x']), ['usual', 'host']),
  EyeLike: one(float(3, 4), (g) => g.op('EyeLike', ['x'], { k: -1 })),
  OneHot: one(whole(-4, 4, 2, 3), (g) =>
    g.op('OneHot', ['x', g.scalar(4, DType.int64), g.constant(DType.float, [2], [-1, 2])], { axis: 1 }),
  ),
  'Slice backwards, of integers': one(whole(0, 99, 4, 5), (g) =>
    g.op('Slice', ['x', g.ints([-1, 3]), g.ints([-9, 0]), g.ints([1, 0]), g.ints([-2, -1])]),
  ),
  'Slice to an empty tensor': one(float(4, 5), (g) =>
    g.op('Slice', ['x', g.ints([3]), g.ints([2]), g.ints([0])]),
  ),
  'Concat with an empty tensor': one(whole(0, 9, 2, 3), (g) =>
    g.op('Concat', ['x', g.constant(DType.int64, [2, 0], []), 'x'], { axis: -1 }),
  ),
  'Split into unequal parts': one(float(7, 2), (g) =>
    g.ops('Split', ['x'], { axis: 0, num_outputs: 3 }, { outputs: 3 }),
  ),
  'Pad, reflect': one(float(3, 4), (g) => g.op('Pad', ['x', g.ints([1, 2, 0, 3])], { mode: 'reflect' })),
  'Pad, edge': one(float(3, 4), (g) => g.op('Pad', ['x', g.ints([1, 2, 0, 3])], { mode: 'edge' })),
  'Pad with a computed value': {
    inputs: { x: float(3, 4), v: float(1) },
    build: (g) => [g.op('Pad', ['x', g.ints([1, 0, -1, 2]), g.op('Squeeze', ['v'])])],
  },
  'Pad of a bool': one(truth(2, 3), (g) => g.op('Pad', ['x', g.ints([0, 1, 1, 0])])),
  'Trilu of a bool': one(truth(3, 4), (g) => g.op('Trilu', ['x', g.scalar(1, DType.int64)])),
  'Trilu, lower, of integers': one(whole(1, 9, 2, 4, 4), (g) => g.op('Trilu', ['x'], { upper: 0 })),
  'Transpose of rank 7': one(float(2, 1, 3, 2, 2, 1, 2), (g) =>
    g.op('Transpose', ['x'], { perm: [4, 0, 6, 1, 3, 5, 2] }),
  ),
  'Gather with a matrix of indices': {
    inputs: { x: float(3, 4, 2), i: whole(-4, 4, 2, 3) },
    build: (g) => [g.op('Gather', ['x', 'i'], { axis: 1 })],
  },
  'GatherElements of integers': {
    inputs: { x: whole(-9, 9, 3, 4), i: whole(-3, 3, 2, 4) },
    build: (g) => [g.op('GatherElements', ['x', 'i'], { axis: 0 })],
  },
  'GatherND in batches': {
    inputs: { x: float(2, 3, 4), i: whole(-3, 3, 2, 5, 1) },
    build: (g) => [g.op('GatherND', ['x', 'i'], { batch_dims: 1 })],
  },
  'ScatterElements, adding': {
    inputs: { x: float(3, 4), i: whole(-3, 3, 5, 4), u: float(5, 4) },
    build: (g) => [g.op('ScatterElements', ['x', 'i', 'u'], { axis: 0, reduction: 'add' })],
  },
  'ScatterND of a bool': {
    inputs: { x: truth(3, 4), u: truth(2, 4) },
    build: (g) => [g.op('ScatterND', ['x', g.constant(DType.int64, [2, 1], [2, -3]), 'u'])],
  },
  'ReduceSum of integers': one(whole(-9, 9, 3, 4), (g) => g.op('ReduceSum', ['x', g.ints([-1])])),
  'ReduceMax of integers': one(whole(-9, 9, 3, 4), (g) => g.op('ReduceMax', ['x', g.ints([0])])),
  'ReduceMin of a bool': one(truth(3, 4), (g) => g.op('ReduceMin', ['x', g.ints([0])])),
  ReduceProd: one(float(3, 4), (g) => g.op('ReduceProd', ['x', g.ints([1])], { keepdims: 0 })),
  ReduceLogSum: one({ ...float(3, 4), values: 'positive' }, (g) => g.op('ReduceLogSum', ['x', g.ints([1])])),
  'ArgMax, last index': one(whole(0, 3, 4, 5), (g) =>
    g.op('ArgMax', ['x'], { axis: 1, select_last_index: 1 }),
  ),
  ArgMin: one(float(4, 5, 2), (g) => g.op('ArgMin', ['x'], { axis: -2, keepdims: 0 })),
  Hardmax: one(float(2, 5, 3), (g) => g.op('Hardmax', ['x'], { axis: 1 })),
  'CumSum of integers': one(whole(-9, 9, 3, 4), (g) =>
    g.op('CumSum', ['x', g.scalar(0, DType.int64)], { reverse: 1, exclusive: 1 }),
  ),
  'TopK, both outputs': one({ ...float(2, 6, 3), values: 'distinct' }, (g) =>
    g.ops('TopK', ['x', g.ints([3])], { axis: 1, largest: 0 }, { outputs: 2 }),
  ),
  MaxPool: one(float(2, 3, 7, 6), (g) =>
    g.op('MaxPool', ['x'], { kernel_shape: [3, 2], strides: [2, 2], pads: [1, 0, 1, 1], ceil_mode: 1 }),
  ),
  AveragePool: one(float(2, 3, 7, 6), (g) =>
    g.op('AveragePool', ['x'], { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1] }),
  ),
  'AveragePool, strides longer than the kernel': one(float(2, 3, 9, 7), (g) =>
    g.op('AveragePool', ['x'], { kernel_shape: [1, 2], strides: [5, 4], ceil_mode: 1 }),
  ),
  'MaxPool, strides longer than the kernel': one(float(2, 3, 9, 7), (g) =>
    g.op('MaxPool', ['x'], { kernel_shape: [1, 2], strides: [5, 4], ceil_mode: 1 }),
  ),
  'AveragePool, padding included': one(float(2, 3, 7), (g) =>
    g.op('AveragePool', ['x'], {
      kernel_shape: [3],
      strides: [2],
      pads: [1, 1],
      count_include_pad: 1,
      ceil_mode: 1,
    }),
  ),
  GlobalMaxPool: one(float(2, 3, 4, 5), (g) => g.op('GlobalMaxPool', ['x'])),
  'Conv, SAME_LOWER padding': {
    inputs: { x: float(1, 2, 5, 6), w: float(3, 2, 3, 2) },
    build: (g) => [g.op('Conv', ['x', 'w'], { auto_pad: 'SAME_LOWER', strides: [2, 1] })],
  },
  DepthToSpace: one(float(1, 8, 2, 3), (g) => g.op('DepthToSpace', ['x'], { blocksize: 2, mode: 'CRD' })),
  SpaceToDepth: one(float(1, 2, 4, 6), (g) => g.op('SpaceToDepth', ['x'], { blocksize: 2 })),
  'Resize, nearest': resized({ coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' }, 10, 3),
  'Resize, linear': resized({ mode: 'linear' }, 7, 4),
  'Resize, linear, aligned corners': resized(
    { mode: 'linear', coordinate_transformation_mode: 'align_corners' },
    8,
    11,
  ),
  'Resize, cubic': resized({ mode: 'cubic', coordinate_transformation_mode: 'pytorch_half_pixel' }, 9, 4),
  'Resize by a factor': one(float(1, 2, 3, 4), (g) =>
    g.op('Resize', ['x', '', g.constant(DType.float, [4], [1, 1, 2, 1.5])], { mode: 'linear' }),
  ),
};
