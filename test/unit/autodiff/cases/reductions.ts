import fc from 'fast-check';
import { DType } from '../../../../src/graph/dtype';
import { axesOf, axisOf, openLabels, shape, unary, type Case, type Input } from '../problem';

const reduction = (op: string, values: Input['values'] = 'any'): Case =>
  shape(1, 3)
    .chain((dims) =>
      fc.record({
        dims: fc.constant(dims),
        // Without axes, all are reduced, or none with noop_with_empty_axes.
        axes: fc.oneof({ weight: 4, arbitrary: axesOf(dims.length) }, fc.constant(undefined)),
        keepdims: fc.nat(1),
        noop: fc.nat(1),
        open: openLabels,
      }),
    )
    .map(({ dims, axes, keepdims, noop, open }) => ({
      inputs: { x: { shape: dims, values } },
      build: (g) => [g.op(op, axes ? ['x', g.ints(axes)] : ['x'], { keepdims, noop_with_empty_axes: noop })],
      open,
    }));

const alongAxis = (op: string): Case =>
  axisOf(1)
    .chain((a) => fc.constantFrom<(number | undefined)[]>(a, undefined))
    .chain((axis) => unary((g, x) => g.op(op, [x], axis === undefined ? {} : { axis: axis as number })));

const cumSum: Case = fc
  .record({ axis: axisOf(1), exclusive: fc.nat(1), reverse: fc.nat(1) })
  .chain(({ axis, exclusive, reverse }) =>
    unary((g, x) => g.op('CumSum', [x, g.scalar(axis, DType.int64)], { exclusive, reverse })),
  );

export const reductions: Record<string, Case> = {
  ReduceSum: reduction('ReduceSum'),
  ReduceMean: reduction('ReduceMean'),
  ReduceMax: reduction('ReduceMax', 'distinct'),
  ReduceMin: reduction('ReduceMin', 'distinct'),
  ReduceL2: reduction('ReduceL2', 'away'),
  ReduceL1: reduction('ReduceL1', 'away'),
  ReduceSumSquare: reduction('ReduceSumSquare'),
  ReduceLogSumExp: reduction('ReduceLogSumExp'),
  CumSum: cumSum,
  Softmax: alongAxis('Softmax'),
  LogSoftmax: alongAxis('LogSoftmax'),
};
