import fc from 'fast-check';
import { DType } from '../../../../src/graph/dtype';
import { axisOf, openLabels, shape, type Axis, type Case } from '../problem';

/** Gathers by one, two or all leading indices; a row may occur twice. */
const gatherNd: Case = fc
  .record({
    depth: fc.constantFrom(1, 2, 3),
    lead: fc.constantFrom<Axis[][]>([], [3], ['d'], [2, 'd']),
    open: fc.subarray(['c', 'd']),
  })
  .map(({ depth, lead, open }) => ({
    // Each axis has at least 3 elements, so that −3 to 2 are valid indices; an open axis may have 2 and comes
    // last.
    inputs: {
      x: { shape: [4, 3, depth === 3 ? 3 : 'c'] },
      i: { shape: [...(lead as Axis[]), depth], dtype: DType.int64, range: [-3, 3] },
    },
    build: (g) => [g.op('GatherND', ['x', 'i'])],
    open,
  }));

/** Two rows, or two elements, get new values. */
const scatterNd: Case = fc
  .record({ whole: fc.boolean(), frozen: fc.constantFrom('x', 'u', ''), open: fc.subarray(['c']) })
  .map(({ whole, frozen, open }) => ({
    inputs: {
      x: { shape: [4, 3, 'c'], frozen: frozen === 'x' },
      u: { shape: whole ? [2, 3, 'c'] : [2, 'c'], frozen: frozen === 'u' },
    },
    build: (g) => [
      g.op('ScatterND', [
        'x',
        whole ? g.constant(DType.int64, [2, 1], [2, -4]) : g.constant(DType.int64, [2, 2], [2, 1, 0, -1]),
        'u',
      ]),
    ],
    open,
  }));

const scatterElements: Case = fc
  .record({ axis: axisOf(2), frozen: fc.constantFrom('x', 'u', '') })
  .map(({ axis, frozen }) => ({
    inputs: { x: { shape: [4, 4], frozen: frozen === 'x' }, u: { shape: [2, 2], frozen: frozen === 'u' } },
    build: (g) => {
      // No position occurs twice along either axis.
      const places = g.constant(DType.int64, [2, 2], [0, 3, -2, 1]);
      return [g.op('ScatterElements', ['x', places, 'u'], { axis })];
    },
    open: [],
  }));

const topK: Case = shape(1, 3).chain((dims) =>
  fc
    .record({ axis: axisOf(dims.length), largest: fc.nat(1), open: openLabels })
    .map(({ axis, largest, open }) => {
      const shape: Axis[] = [...dims];
      shape.splice(axis, 1, 4);
      return {
        inputs: { x: { shape, values: 'distinct' as const } },
        build: (g) => [g.ops('TopK', ['x', g.ints([2])], { axis, largest }, { outputs: 2 })[0]],
        open,
      };
    }),
);

const maxPool: Case = fc
  .record({
    kernel: fc.constantFrom(1, 2, 3),
    stride: fc.constantFrom(1, 2, 4),
    dilation: fc.constantFrom(1, 2),
    pad: fc.constantFrom(0, 1),
    ceil: fc.constantFrom(0, 1),
    auto: fc.constantFrom('NOTSET', 'SAME_UPPER'),
    open: openLabels,
  })
  .map(({ kernel, stride, dilation, pad, ceil, auto, open }) => ({
    inputs: { x: { shape: ['a', 'b', 7, 6], values: 'distinct' } },
    build: (g) => [
      g.op('MaxPool', ['x'], {
        kernel_shape: [kernel, 2],
        strides: [auto === 'NOTSET' ? stride : Math.min(stride, kernel), 2],
        ...(auto === 'NOTSET'
          ? { pads: [Math.min(pad, kernel - 1), pad, 0, 1], dilations: [dilation, 1] }
          : { auto_pad: auto }),
        ceil_mode: ceil,
      }),
    ],
    open,
  }));

export const scatter: Record<string, Case> = {
  GatherND: gatherNd,
  ScatterND: scatterNd,
  ScatterElements: scatterElements,
  TopK: topK,
  MaxPool: maxPool,
};
