import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DType } from '../../../../src/graph/dtype';
import type { HostTensors } from '../../../../src/graph/tensor-infos';
import { upgradeModel } from '../../../../src/graph/upgrade/upgrade';
import { difference, host, input, model, node, runModel, type Attributes } from '../onnx-models';
import { expectSameAsKernel, random } from './kernel';

const { float, float16, int64, int8, uint8 } = DType;
const seed = fc.integer({ min: 1, max: 1e6 });
const check = <T>(arbitrary: fc.Arbitrary<T>, test: (value: T) => Promise<void>) =>
  fc.assert(fc.asyncProperty(arbitrary, test), { numRuns: 20 });

describe('operators newer than the internal opset give the numbers of their kernels', () => {
  const rotary = fc.record({
    flat: fc.boolean(),
    declared: fc.boolean(),
    batch: fc.integer({ min: 1, max: 3 }),
    heads: fc.integer({ min: 1, max: 3 }),
    sequence: fc.integer({ min: 1, max: 5 }),
    pairs: fc.integer({ min: 1, max: 3 }),
    rest: fc.constantFrom(0, 2, 4),
    interleaved: fc.boolean(),
    positions: fc.boolean(),
    seed,
  });
  it('RotaryEmbedding', () =>
    check(rotary, (c) => {
      const width = 2 * c.pairs + c.rest;
      const table = c.positions ? [100, c.pairs] : [c.batch, c.sequence, c.pairs];
      return expectSameAsKernel({
        op: 'RotaryEmbedding',
        opset: 23,
        inputs: ['x', 'cos', 'sin', 'at'],
        outputs: ['y'],
        feeds: {
          x: random(
            c.flat ? [c.batch, c.sequence, c.heads * width] : [c.batch, c.heads, c.sequence, width],
            c.seed,
          ),
          cos: random(table, c.seed + 1),
          sin: random(table, c.seed + 2),
          ...(c.positions ? { at: random([c.batch, c.sequence], c.seed + 3, int64) } : {}),
        },
        attributes: {
          interleaved: c.interleaved ? 1 : undefined,
          num_heads: c.flat || c.rest ? c.heads : undefined,
          rotary_embedding_dim: c.rest ? 2 * c.pairs : undefined,
        },
        declare: (name, t) => input(name, t.dtype, c.declared ? t.dims : t.dims.map((_, i) => `${name}${i}`)),
      });
    }));

  const norm = fc.record({
    axis: fc.constantFrom(undefined, -1, -2, 1, 2),
    epsilon: fc.constantFrom(undefined, 0.1),
    half: fc.boolean(),
    seed,
  });
  it('RMSNormalization', () =>
    check(norm, (c) => {
      const dims = [2, 3, 4];
      const dtype = c.half ? float16 : float;
      return expectSameAsKernel({
        op: 'RMSNormalization',
        opset: 23,
        inputs: ['x', 'w'],
        outputs: ['y'],
        feeds: { x: random(dims, c.seed, dtype), w: random(dims.slice(c.axis ?? -1), c.seed + 1, dtype) },
        attributes: { axis: c.axis, epsilon: c.epsilon === undefined ? undefined : { float: c.epsilon } },
        tolerance: c.half ? 4e-3 : undefined,
      });
    }));

  it.each([undefined, 1.7])('Swish with alpha %s', (alpha) =>
    expectSameAsKernel({
      op: 'Swish',
      opset: 24,
      inputs: ['x'],
      outputs: ['y'],
      feeds: { x: random([2, 5], 3) },
      attributes: { alpha: alpha === undefined ? undefined : { float: alpha } },
    }),
  );
});

// ONNX Runtime's kernels refuse two types at once, which the standard allows.
describe('quantization with types of opset 23 is converted', () => {
  const run = (op: string, feeds: HostTensors, attributes: Attributes) =>
    runModel(
      upgradeModel(
        model({
          opset: 23,
          inputs: Object.entries(feeds).map(([name, t]) => input(name, t.dtype, t.dims)),
          nodes: [node(op, Object.keys(feeds), ['y'], attributes)],
          outputs: ['y'],
        }),
      ),
      feeds,
    );

  it('from integers to float16, with a scale in float32', async () => {
    const feeds = { q: host([3], [1, 2, 250], uint8), s: host([], [0.5]) };
    const got = await run('DequantizeLinear', feeds, { output_dtype: float16 });
    expect(difference({ y: host([3], [0.5, 1, 125], float16) }, got)).toBeUndefined();
  });

  it.each([
    [float16, float, undefined],
    [float16, float16, float],
  ])('from type %i by a scale of type %i', async (of, by, precision) => {
    const feeds = { x: host([3], [1, -3, 7.5], of), s: host([], [0.25], by) };
    const got = await run('QuantizeLinear', feeds, { output_dtype: int8, precision });
    expect(difference({ y: host([3], [4, -12, 30], int8) }, got)).toBeUndefined();
  });
});
