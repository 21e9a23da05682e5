import fc from 'fast-check';
import { DType } from '../../../../src/graph/dtype';
import { axesOf, broadcastTo, openLabels, shape, unary, type Axis, type Case } from '../problem';

/** To one axis, to two, or with the sizes read from the tensor. */
const reshape: Case = fc.oneof(
  unary((g, x) => g.op('Reshape', [x, g.ints([-1])])),
  unary((g, x) => g.op('Reshape', [x, g.ints([0, 1, -1])])),
  unary(
    (g, x) => {
      const turned = g.op('Gather', [g.op('Shape', [x]), g.ints([1, 0])]);
      return g.op('Reshape', [x, g.op('Concat', [turned, g.ints([-1])], { axis: 0 })]);
    },
    'any',
    2,
  ),
);

const flatten: Case = fc
  .integer({ min: -2, max: 2 })
  .chain((axis) => unary((g, x) => g.op('Flatten', [x], { axis }), 'any', 2));

const transpose: Case = shape(1, 4)
  .chain((dims) =>
    fc.record({
      dims: fc.constant(dims),
      perm: fc.oneof(
        fc.constant(undefined),
        fc.shuffledSubarray([...dims.keys()], { minLength: dims.length }),
      ),
      open: openLabels,
    }),
  )
  .map(({ dims, perm, open }) => ({
    inputs: { x: { shape: dims } },
    build: (g) => [g.op('Transpose', ['x'], perm ? { perm } : {})],
    open,
  }));

const ones: Axis[] = [1, 'a', 1, 'b'];

const squeeze: Case = fc
  .record({
    axes: fc.constantFrom<(number[] | undefined)[]>([0], [2], [-2], [0, -2], [0, 2], undefined),
    open: openLabels,
  })
  .map(({ axes, open }) => ({
    inputs: { x: { shape: ones } },
    build: (g) => [g.op('Squeeze', axes ? ['x', g.ints(axes)] : ['x'])],
    // Without axes, Squeeze would also remove an open axis of size 1 and change the rank.
    open: axes ? open : [],
  }));

const unsqueeze: Case = axesOf(4)
  .filter((axes) => axes.length <= 2)
  .chain(
    (axes) =>
      fc.tuple(shape(4 - axes.length, 4 - axes.length), openLabels).map(([dims, open]) => ({
        inputs: { x: { shape: dims } },
        build: (g) => [g.op('Unsqueeze', ['x', g.ints(axes)])],
        open,
      })) as Case,
  );

const expand: Case = shape(1, 3)
  .chain((full) => fc.record({ full: fc.constant(full), small: broadcastTo(full), open: openLabels }))
  .map(({ full, small, open }) => ({
    // Expands to the shape of another input, as exporters do.
    inputs: { x: { shape: small }, like: { shape: full, frozen: true } },
    build: (g) => [g.op('Expand', ['x', g.op('Shape', ['like'])])],
    open,
  }));

const tile: Case = shape(1, 3)
  .chain((dims) =>
    fc.record({
      dims: fc.constant(dims),
      repeats: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: dims.length, maxLength: dims.length }),
      computed: fc.boolean(),
      open: openLabels,
    }),
  )
  .map(({ dims, repeats, computed, open }) => ({
    inputs: { x: { shape: dims } },
    build: (g) => {
      const known = g.ints(repeats);
      return [g.op('Tile', ['x', computed ? g.op('Identity', [known]) : known])];
    },
    open,
  }));

/** A cast to float and back would lose the differences: only a cast to the same type is exact. */
const cast = (op: 'Cast' | 'CastLike'): Case =>
  unary((g, x) =>
    op === 'Cast' ? g.op(op, [x], { to: DType.double }) : g.op(op, [x, g.scalar(0, DType.double)]),
  );

const trilu: Case = fc
  .record({ k: fc.constantFrom(undefined, -1, 0, 1), upper: fc.nat(1) })
  .chain(({ k, upper }) =>
    unary(
      (g, x) => g.op('Trilu', k === undefined ? [x] : [x, g.constant(DType.int64, [], [k])], { upper }),
      'any',
      2,
    ),
  );

const pad: Case = shape(1, 3)
  .chain((dims) => {
    const margins = (n: number) =>
      fc.array(fc.integer({ min: -1, max: 2 }), { minLength: 2 * n, maxLength: 2 * n });
    return fc.record({
      dims: fc.constant(dims),
      axes: fc.constantFrom<(number[] | undefined)[]>(undefined, [0], [-1]),
      computed: fc.boolean(),
      all: margins(dims.length),
      open: openLabels,
    });
  })
  .map(({ dims, axes, computed, all, open }) => ({
    inputs: { x: { shape: dims } },
    build: (g) => {
      const known = g.ints(axes ? all.slice(0, 2) : all);
      const pads = computed ? g.op('Identity', [known]) : known;
      return [g.op('Pad', axes ? ['x', pads, '', g.ints(axes)] : ['x', pads])];
    },
    // An open axis may have size 1, which is too short to crop at both ends.
    open: all.some((p) => p < 0) ? [] : open,
  }));

export const movement: Record<string, Case> = {
  Reshape: reshape,
  Flatten: flatten,
  Transpose: transpose,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Expand: expand,
  Tile: tile,
  Cast: cast('Cast'),
  CastLike: cast('CastLike'),
  Identity: unary((g, x) => g.op('Identity', [x])),
  Trilu: trilu,
  Pad: pad,
  Dropout: unary((g, x) => g.op('Dropout', [x, g.scalar(0.3, DType.double)])),
};
