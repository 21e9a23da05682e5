import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostTensors } from '../../../src/engine/stepper';
import { DType } from '../../../src/graph/dtype';
import { elementCount } from '../../../src/graph/model';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { upgradeModel } from '../../../src/graph/upgrade/upgrade';
import { tensorOf } from '../../../src/graph/values';
import { type Attributes, difference, host, input, model, node, runModel, type Sketch } from './onnx-models';

const { float } = DType;

/**
 * Checks that the upgraded model computes the same as the original in its opset, which must stay unchanged.
 */
async function expectSame(sketch: Sketch, feeds: HostTensors, rtol = 0, atol = 0): Promise<void> {
  const original = model(sketch);
  const before = encodeModel(original);
  const upgraded = upgradeModel(original);
  expect(upgraded.opsets.get('')).toBe(21);
  expect(Buffer.compare(encodeModel(original), before), 'the original was changed').toBe(0);
  const want = await runModel(original, feeds);
  expect(difference(want, await runModel(upgraded, feeds), rtol, atol)).toBeUndefined();
}

/** Values derived from the seed, including both signs, zeros and ties. */
function values(count: number, seed: number): number[] {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return Array.from({ length: count }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) % 33) / 4 - 4;
  });
}

const shape = (min = 1, max = 4) =>
  fc.array(fc.integer({ min: 1, max: 4 }), { minLength: min, maxLength: max });
const free = (rank: number) => Array.from({ length: rank }, (_, i) => `d${i}`);

/** One operator with a float input `x` of random shape. */
function unary(
  opset: number,
  op: string,
  dims: number[],
  seed: number,
  attributes: Attributes,
  options: {
    outputs?: string[];
    dtype?: number;
    declared?: boolean;
    rtol?: number;
    more?: Partial<Sketch>;
  } = {},
) {
  const dtype = options.dtype ?? float;
  const outputs = options.outputs ?? ['y'];
  return expectSame(
    {
      opset,
      inputs: [input('x', dtype, options.declared === false ? undefined : free(dims.length))],
      nodes: [node(op, ['x'], outputs, attributes)],
      outputs: outputs.filter((o) => o !== ''),
      ...options.more,
    },
    { x: host(dims, values(elementCount(dims), seed), dtype) },
    options.rtol ?? 0,
  );
}

const seed = fc.integer({ min: 1, max: 1e6 });
const check = <T>(arbitrary: fc.Arbitrary<T>, test: (value: T) => Promise<void>) =>
  fc.assert(fc.asyncProperty(arbitrary, test), { numRuns: 25 });

describe('upgrading attributes that became inputs (axes, sizes, bounds)', () => {
  const withAxes = shape().chain((dims) =>
    fc.record({
      dims: fc.constant(dims),
      axes: fc.option(fc.subarray(dims.map((_, i) => i)), { nil: undefined }),
      keepdims: fc.constantFrom(0, 1),
      seed,
      opset: fc.constantFrom(9, 11, 12, 13, 17),
    }),
  );
  it.each('Sum Mean Max Min Prod L1 L2 LogSumExp SumSquare'.split(' '))('handles Reduce%s', (kind) =>
    check(withAxes, async (c) => {
      const old = kind !== 'Sum' || c.opset < 13;
      const attributes = { keepdims: c.keepdims, axes: c.axes?.length && old ? c.axes : undefined };
      await unary(c.opset, `Reduce${kind}`, c.dims, c.seed, attributes, { rtol: 1e-6 });
    }),
  );

  it('handles Squeeze with and without axes', () =>
    check(fc.record({ dims: shape(), seed, opset: fc.constantFrom(9, 11), all: fc.boolean() }), (c) => {
      const ones = c.dims.flatMap((d, i) => (d === 1 ? [i] : []));
      return unary(c.opset, 'Squeeze', c.dims, c.seed, c.all ? {} : { axes: ones.slice(0, 1) }, {
        more: { inputs: [input('x', float, c.dims)] },
      });
    }));

  it('handles Unsqueeze', () =>
    check(fc.record({ dims: shape(1, 3), seed, opset: fc.constantFrom(9, 12) }), (c) =>
      unary(c.opset, 'Unsqueeze', c.dims, c.seed, { axes: [0, c.dims.length + 1] }),
    ));

  it('handles Slice', () =>
    check(
      fc.record({
        dims: shape(2),
        seed,
        start: fc.integer({ min: -5, max: 3 }),
        end: fc.constantFrom(-1, 2, 3, 2 ** 31 - 1),
        axes: fc.option(fc.constantFrom<number[][]>([0, 1], [1, 0]), { nil: undefined }),
      }),
      (c) => {
        const attributes = { starts: [c.start, 0], ends: [c.end, 3], axes: c.axes };
        return unary(9, 'Slice', c.dims, c.seed, attributes);
      },
    ));

  it('handles Clip, with bounds in the type of its input', () =>
    check(
      fc.record({
        seed,
        opset: fc.constantFrom(9, 10),
        min: fc.option(fc.constantFrom(-2, -0.1), { nil: undefined }),
        max: fc.option(fc.constantFrom(0.3, 3), { nil: undefined }),
      }),
      (c) =>
        unary(c.opset, 'Clip', [3, 4], c.seed, {
          min: c.min === undefined ? undefined : { float: c.min },
          max: c.max === undefined ? undefined : { float: c.max },
        }),
    ));

  it.each(['constant', 'edge', 'reflect'])('handles Pad (%s)', (mode) =>
    check(fc.record({ seed, opset: fc.constantFrom(9, 10), value: fc.constantFrom(0, 2.5) }), (c) => {
      const value = mode === 'constant' ? { float: c.value } : undefined;
      return unary(c.opset, 'Pad', [3, 4], c.seed, { mode, pads: [1, 0, 2, 1], value });
    }),
  );

  // A double model declares only the type of its inputs, so the type of the bound must be inferred through
  // other operators.
  it.each([
    ['Clip', { min: { float: -1 }, max: { float: 2 } }],
    ['Pad', { pads: [1, 1], value: { float: 1 } }],
  ])('handles %s of a computed double', (op, attributes) => {
    const double = DType.double;
    const m = model({
      opset: 10,
      inputs: [input('i', DType.int64, [3])],
      nodes: [
        node('Cast', ['i'], ['c'], { to: double }),
        node('Exp', ['c'], ['e']),
        node(op, ['e'], ['p'], attributes),
        node('Identity', ['p'], ['y']),
      ],
      outputs: ['y'],
    });
    return runModel(upgradeModel(m), { i: host([3], [0, 1, 2], DType.int64) }).then(({ y }) => {
      const e = [0, 1, 2].map(Math.exp);
      const want = op === 'Clip' ? e.map((v) => Math.min(v, 2)) : [1, ...e, 1];
      expect(difference({ y: host([want.length], want, double) }, { y }, 1e-12)).toBeUndefined();
    });
  });

  it.each([9, 11, 12])('handles Split into given sizes, opset %i', (opset) =>
    unary(opset, 'Split', [6, 2], 3, { axis: 0, split: [1, 3, 2] }, { outputs: ['a', 'b', 'c'] }),
  );

  it.each([9, 11, 13, 17])('handles Split into equal parts, opset %i', async (opset) => {
    await unary(opset, 'Split', [2, 6], 3, { axis: 1 }, { outputs: ['a', 'b', 'c'] });
    // The standard requires this attribute, even if ONNX Runtime counts the outputs itself.
    const nodes = [node('Split', ['x'], ['a', 'b', 'c'], { axis: 1 })];
    const m = model({ opset, inputs: [input('x', float, [2, 6])], nodes, outputs: ['a'] });
    expect(upgradeModel(m).graph.nodes[0].attributes.get('num_outputs')?.value).toBe(3);
  });

  it.each([13, 17])('handles Split with sizes that are already an input, opset %i', (opset) =>
    expectSame(
      {
        opset,
        inputs: [input('x', float, ['n'])],
        nodes: [node('Split', ['x', 's'], ['a', 'b'])],
        initializers: [tensorOf('s', DType.int64, [2], [1, 4])],
        outputs: ['a', 'b'],
      },
      { x: host([5], values(5, 1)) },
    ),
  );

  it('handles TopK', () => unary(9, 'TopK', [3, 6], 5, { k: 2, axis: 1 }, { outputs: ['v', 'i'] }));
});

describe('upgrading Softmax and its variants, which flattened the trailing axes', () => {
  it.each(['Softmax', 'LogSoftmax', 'Hardmax'])('handles %s', (op) =>
    check(
      shape().chain((dims) =>
        fc.record({
          dims: fc.constant(dims),
          axis: fc.option(fc.integer({ min: 0, max: dims.length - 1 }), { nil: undefined }),
          declared: fc.boolean(),
          opset: fc.constantFrom(9, 11, 12),
          seed,
        }),
      ),
      (c) => {
        if (c.axis === undefined && c.dims.length < 2) return Promise.resolve();
        const attributes = { axis: c.axis };
        const options = { declared: c.declared, rtol: 1e-5 };
        return unary(c.opset, op, c.dims, c.seed, attributes, options);
      },
    ),
  );

  it.each([-1, -2, -3])('handles a negative axis, %i', (axis) =>
    unary(11, 'Softmax', [2, 3, 4], 7, { axis }, { rtol: 1e-5 }),
  );

  it('keeps a single node for the last axis', () => {
    const ops = (rank: number, axis: number) =>
      upgradeModel(
        model({
          opset: 11,
          inputs: [input('x', float, free(rank))],
          nodes: [node('Softmax', ['x'], ['y'], { axis })],
          outputs: ['y'],
        }),
      ).graph.nodes.map((n) => n.opType);
    expect(ops(4, 3)).toEqual(['Softmax']);
    expect(ops(4, -1)).toEqual(['Softmax']);
    expect(ops(4, 2)).toEqual(['Shape', 'Flatten', 'Softmax', 'Reshape']);
  });
});

describe('upgrading operators that were renamed, split or respecified', () => {
  it.each([9, 10])('replaces Scatter by ScatterElements, opset %i', (opset) =>
    expectSame(
      {
        opset,
        inputs: [input('x', float, [3, 3]), input('u', float, [2, 3])],
        nodes: [node('Scatter', ['x', 'i', 'u'], ['y'], { axis: 0 })],
        initializers: [tensorOf('i', DType.int64, [2, 3], [1, 0, 2, 0, 2, 1])],
        outputs: ['y'],
      },
      { x: host([3, 3], values(9, 1)), u: host([2, 3], values(6, 2)) },
    ),
  );

  const scale = fc.constantFrom(0.4, 0.5, 0.6, 1, 1.5, 2, 2.6);
  const resized = fc.record({
    scales: fc.tuple(scale, scale),
    known: fc.boolean(),
    mode: fc.constantFrom('nearest', 'linear'),
    seed,
  });
  const scaling = (
    opset: number,
    op: string,
    c: { scales: number[]; known: boolean; mode: string; seed: number },
  ) => {
    const scales = [1, 1, ...c.scales];
    return expectSame(
      {
        opset,
        inputs: [input('x', float, [1, 1, 'h', 'w']), ...(c.known ? [] : [input('s', float, [4])])],
        nodes: [node(op, ['x', 's'], ['y'], { mode: c.mode })],
        initializers: c.known ? [tensorOf('s', float, [4], scales)] : [],
        outputs: ['y'],
      },
      { x: host([1, 1, 5, 7], values(35, c.seed)), ...(c.known ? {} : { s: host([4], scales) }) },
      1e-6,
      1e-6,
    );
  };
  it('handles Resize of opset 10', () => check(resized, (c) => scaling(10, 'Resize', c)));
  it('handles Upsample of opset 9', () =>
    check(resized, (c) => scaling(9, 'Upsample', { ...c, scales: c.scales.map((s) => Math.max(1, s)) })));

  it.each(['half_pixel', 'align_corners', 'asymmetric', 'pytorch_half_pixel', 'tf_half_pixel_for_nn'])(
    'handles Resize of opset 11 with sizes (%s)',
    (mode) =>
      expectSame(
        {
          opset: 11,
          inputs: [input('x', float, [1, 1, 'h', 'w'])],
          nodes: [
            node('Resize', ['x', 'none', 'none', 'sizes'], ['y'], {
              mode: mode.startsWith('tf') ? 'nearest' : 'linear',
              coordinate_transformation_mode: mode,
            }),
          ],
          initializers: [tensorOf('none', float, [0], []), tensorOf('sizes', DType.int64, [4], [1, 1, 8, 3])],
          outputs: ['y'],
        },
        { x: host([1, 1, 5, 7], values(35, 11)) },
        1e-6,
        1e-6,
      ),
  );

  it.each(['bilinear', 'bicubic', 'nearest', undefined])('handles GridSample (%s)', (mode) =>
    expectSame(
      {
        opset: 16,
        inputs: [input('x', float, [1, 1, 4, 4]), input('g', float, [1, 3, 3, 2])],
        nodes: [node('GridSample', ['x', 'g'], ['y'], { mode })],
        outputs: ['y'],
      },
      {
        x: host([1, 1, 4, 4], values(16, 5)),
        g: host(
          [1, 3, 3, 2],
          values(18, 6).map((v) => v / 4.3),
        ),
      },
      1e-5,
      1e-5,
    ),
  );

  it('keeps the coordinate convention of an old RoiAlign', () =>
    expectSame(
      {
        opset: 10,
        inputs: [input('x', float, [1, 1, 6, 6]), input('r', float, [1, 4])],
        nodes: [node('RoiAlign', ['x', 'r', 'b'], ['y'], { output_height: 2, output_width: 2 })],
        initializers: [tensorOf('b', DType.int64, [1], [0])],
        outputs: ['y'],
      },
      { x: host([1, 1, 6, 6], values(36, 8)), r: host([1, 4], [0.7, 1.2, 4.1, 5.3]) },
      1e-5,
      1e-5,
    ));

  it.each([undefined, 1, 2])('handles DFT over axis %s', (axis) =>
    unary(17, 'DFT', [2, 4, 4, 1], 9, { axis }, { rtol: 1e-5 }),
  );

  it.each([9, 11])('handles Dropout at inference, opset %i', (opset) =>
    unary(opset, 'Dropout', [3, 4], 2, { ratio: { float: 0.3 } }),
  );
  // The mask's values at inference were unspecified (ONNX Runtime gives zeros), but its type was specified.
  it.each([
    [9, float],
    [10, DType.bool],
  ])("keeps the type of Dropout's mask, opset %i", async (opset, dtype) => {
    const m = model({
      opset,
      inputs: [input('x', float, [2])],
      nodes: [node('Dropout', ['x'], ['y', 'mask'])],
      outputs: ['y', 'mask'],
    });
    const { y, mask } = await runModel(upgradeModel(m), { x: host([2], [3, 4]) });
    expect(difference({ y: host([2], [3, 4]), mask: host([2], [1, 1], dtype) }, { y, mask })).toBeUndefined();
  });
  it.each([12, 13])('handles Dropout with its ratio as an input, opset %i', (opset) =>
    expectSame(
      {
        opset,
        inputs: [input('x', float, [4])],
        nodes: [node('Dropout', ['x', 'r'], ['y', 'mask'])],
        initializers: [tensorOf('r', float, [], [0.5])],
        outputs: ['y', 'mask'],
      },
      { x: host([4], values(4, 1)) },
    ),
  );
});

describe('upgrading normalization', () => {
  const batchNorm = (opset: number, outputs: string[]): Sketch => ({
    opset,
    inputs: [input('x', float, ['n', 3, 'l'])],
    nodes: [node('BatchNormalization', ['x', 'v', 'v', 'v', 'v'], outputs, { momentum: { float: 0.9 } })],
    initializers: [tensorOf('v', float, [3], [0.5, 1, 2])],
    outputs: ['y'],
  });
  it.each([9, 13])('handles BatchNormalization at inference, opset %i', (opset) =>
    expectSame(batchNorm(opset, ['y']), { x: host([2, 3, 4], values(24, 1)) }, 1e-6, 1e-6),
  );
  it('rejects BatchNormalization in training mode', () => {
    const m = model(batchNorm(9, ['y', 'mean', 'variance', 'sm', 'sv']));
    expect(() => upgradeModel(m)).toThrow(/node y is a BatchNormalization in training mode/);
  });

  // ONNX Runtime's optimizer wrote it into the standard domain before the standard defined it.
  it('handles LayerNormalization of opset 13', () =>
    expectSame(
      {
        opset: 13,
        inputs: [input('x', float, ['n', 4])],
        nodes: [node('LayerNormalization', ['x', 'w', 'w'], ['y'], { axis: -1, epsilon: { float: 1e-3 } })],
        initializers: [tensorOf('w', float, [4], [1, 2, -1, 0.5])],
        outputs: ['y'],
      },
      { x: host([3, 4], values(12, 4)) },
      1e-6,
      1e-6,
    ));

  it('scales channels in GroupNormalization of opset 21', () =>
    expectSame(
      {
        opset: 21,
        irVersion: 10,
        inputs: [input('x', float, ['n', 4, 'h', 'w'])],
        nodes: [
          node('GroupNormalization', ['x', 's', 'b'], ['y'], { num_groups: 2, epsilon: { float: 1e-2 } }),
        ],
        initializers: [tensorOf('s', float, [4], [1, 2, -1, 0.5]), tensorOf('b', float, [4], [0, 1, 2, 3])],
        outputs: ['y'],
      },
      { x: host([2, 4, 3, 2], values(48, 3)) },
      1e-5,
      1e-5,
    ));
  it('scales groups in GroupNormalization of opset 18', async () => {
    // Runtimes have withdrawn it. Scaling a group is the same as scaling its channels equally, in the form of
    // opset 21.
    const build = (opset: number, s: number[], b: number[]) =>
      model({
        opset,
        irVersion: 10,
        inputs: [input('x', float, ['n', 4, 'h', 'w'])],
        nodes: [node('GroupNormalization', ['x', 's', 'b'], ['y'], { num_groups: 2 })],
        initializers: [tensorOf('s', float, [s.length], s), tensorOf('b', float, [b.length], b)],
        outputs: ['y'],
      });
    const feeds = { x: host([2, 4, 3, 2], values(48, 3)) };
    const want = await runModel(build(21, [2, 2, -1, -1], [0, 0, 3, 3]), feeds);
    const got = await runModel(upgradeModel(build(18, [2, -1], [0, 3])), feeds);
    expect(difference(want, got, 1e-5, 1e-5)).toBeUndefined();
  });
});
