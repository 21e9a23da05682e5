import fc from 'fast-check';
import { DType } from '../../../../src/graph/dtype';
import { axisOf, OPEN, openLabels, shape, type Axis, type Case, type Input } from '../problem';

/** One or two axes, from either end or beyond it, in steps of −3 to 3. */
const slice: Case = shape(2, 3)
  .chain((dims) =>
    fc.record({
      dims: fc.constant(dims),
      axes: fc.shuffledSubarray([0, 1], { minLength: 1 }),
      starts: fc.tuple(...[0, 1].map(() => fc.integer({ min: -3, max: 2 }))),
      ends: fc.tuple(...[0, 1].map(() => fc.constantFrom(-9, -1, 1, 3, 9))),
      steps: fc.tuple(...[0, 1].map(() => fc.constantFrom(1, 1, 2, 3, -1, -2, -3))),
      computed: fc.boolean(),
      open: openLabels,
    }),
  )
  .map(({ dims, axes, starts, ends, steps, computed, open }) => ({
    inputs: { x: { shape: dims } },
    build: (g) => {
      const dtype = computed ? DType.int32 : DType.int64;
      const [s, e, a, st] = [starts, ends, axes, steps].map((v) =>
        g.constant(dtype, [axes.length], v.slice(0, axes.length)),
      );
      return [g.op('Slice', ['x', computed ? g.op('Identity', [s]) : s, e, a, st])];
    },
    open: open.filter((label) => {
      const i = axes.indexOf(dims.indexOf(label));
      return i < 0 || seenByProbe(label, (n) => sliceLength(n, starts[i], ends[i], steps[i]));
    }),
  }));

const sliceLength = (n: number, start: number, end: number, step: number): number => {
  const [low, high] = step > 0 ? [0, n] : [-1, n - 1];
  const [from, to] = [start, end].map((v) => Math.min(high, Math.max(low, v < 0 ? v + n : v)));
  return Math.max(0, Math.ceil((to - Math.max(from, 0)) / step));
};

/** True if a length that is constant at the probed sizes is also constant at the run sizes. */
const seenByProbe = (label: string, length: (n: number) => number): boolean =>
  [
    [2, 3, 5],
    [7, 11, 13],
    [17, 19, 23],
    [29, 31, 37],
  ].every((sizes) => {
    const lengths = new Set(sizes.map(length));
    return lengths.size > 1 || OPEN.every((run) => lengths.has(length(run[label])));
  });

/** The common form: the first two axes, without axes or steps. */
const plainSlice: Case = fc
  .record({ starts: fc.tuple(fc.nat(1), fc.nat(1)), open: openLabels })
  .map(({ starts, open }) => ({
    inputs: { x: { shape: ['c', 'd', 2] } },
    build: (g) => [g.op('Slice', ['x', g.ints(starts), g.ints([3, 9])])],
    open,
  }));

/** A whole axis in reverse, as flips are exported. */
const turned: Case = fc
  .record({ axis: axisOf(2), step: fc.constantFrom(-1, -2), open: openLabels })
  .map(({ axis, step, open }) => ({
    inputs: { x: { shape: ['c', 'd'] } },
    build: (g) => [g.op('Slice', ['x', ...[-1, -100, axis, step].map((v) => g.ints([v]))])],
    open,
  }));

const concat: Case = shape(1, 3)
  .chain((dims) =>
    fc.record({
      dims: fc.constant(dims),
      axis: axisOf(dims.length),
      parts: fc.array(fc.constantFrom<Axis[]>('a', 'b', 1, 2), { minLength: 1, maxLength: 3 }),
      only: fc.option(fc.nat(2)),
      open: openLabels,
    }),
  )
  .map(({ dims, axis, parts, only, open }) => {
    const inputs: Record<string, Input> = {};
    parts.forEach((part, i) => {
      const shape: Axis[] = [...dims];
      shape.splice(axis, 1, part);
      inputs[`x${i}`] = { shape, frozen: only !== null && only % parts.length !== i };
    });
    return { inputs, build: (g) => [g.op('Concat', Object.keys(inputs), { axis })], open };
  });

/** By sizes or by count; some parts may be unused. */
const split: Case = fc
  .record({
    axis: fc.constantFrom(1, -2),
    sizes: fc.constantFrom<(number[] | undefined)[]>([1, 3, 2], [2, 2, 2], [6], undefined),
    used: fc.nat(2),
    open: openLabels,
  })
  .map(({ axis, sizes, used, open }) => ({
    inputs: { x: { shape: ['a', 6, 'b'] } },
    build: (g) => {
      const outputs = sizes?.length ?? 3;
      const parts = sizes
        ? g.ops('Split', ['x', g.ints(sizes)], { axis }, { outputs })
        : g.ops('Split', ['x'], { axis, num_outputs: 3 }, { outputs });
      return parts.slice(0, 1 + (used % outputs));
    },
    open,
  }));

const gather: Case = shape(1, 3)
  .chain((dims) =>
    fc.record({
      dims: fc.constant(dims),
      axis: axisOf(dims.length),
      indices: fc.constantFrom<Axis[][]>([], [3], ['d'], [2, 'd'], [1]),
      open: fc.subarray(['d', ...dims]),
    }),
  )
  .map(({ dims, axis, indices, open }) => {
    const shape: Axis[] = [...dims];
    // At least 3 elements, so that −3 to 2 are valid indices.
    shape.splice(axis, 1, 4);
    return {
      inputs: {
        x: { shape },
        i: { shape: indices as Axis[], dtype: DType.int64, range: [-3, 3] },
      },
      build: (g) => [g.op('Gather', ['x', 'i'], { axis })],
      open,
    };
  });

/** The first or the last token. */
const gatherConstant: Case = fc
  .record({ index: fc.constantFrom(0, -1), scalar: fc.boolean(), axis: axisOf(3), open: openLabels })
  .map(({ index, scalar, axis, open }) => ({
    inputs: { x: { shape: ['a', 'b', 'c'] } },
    build: (g) => [g.op('Gather', ['x', g.constant(DType.int64, scalar ? [] : [1], [index])], { axis })],
    open,
  }));

const gatherElements: Case = fc
  .record({ axis: axisOf(2), rows: fc.constantFrom<Axis[]>(1, 3, 'c'), open: fc.subarray(['b', 'c']) })
  .map(({ axis, rows, open }) => {
    const x: Axis[] = ['b', 'b'];
    x.splice(axis, 1, 4);
    const i: Axis[] = ['b', 'b'];
    i.splice(axis, 1, rows as Axis);
    return {
      inputs: { x: { shape: x }, i: { shape: i, dtype: DType.int64, range: [-4, 4] } },
      build: (g) => [g.op('GatherElements', ['x', 'i'], { axis })],
      open,
    };
  });

export const selection: Record<string, Case> = {
  Slice: fc.oneof({ weight: 2, arbitrary: slice }, plainSlice, turned),
  Concat: concat,
  Split: split,
  Gather: fc.oneof({ weight: 2, arbitrary: gather }, gatherConstant),
  GatherElements: gatherElements,
};
