import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../../src/engine/onnxruntime/session';
import type { AttributeLike } from '../../../src/graph/attributes';
import { DType } from '../../../src/graph/dtype';
import type { HostTensor } from '../../../src/graph/tensor-infos';
import { elementCount } from '../../../src/graph/model';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { fixSizes } from '../../../src/graph/sizes/sizes';
import { differentiated, generator, symmetric } from './check';

/**
 * Operators on images that are linear in their input, up to a constant. The gradient is then the transposed map, which
 * dot products check without finite differences: ONNX Runtime computes these in float32 alone.
 */
interface Linear {
  op: string;
  dims: number[];
  attributes: Record<string, AttributeLike | undefined>;
  /** Further inputs: shapes of random weights, or their values. Undefined is absent. */
  more: (number[] | { values: number[] } | undefined)[];
  seed: number;
}

async function isTransposed({ op, dims, attributes, more, seed }: Linear): Promise<void> {
  const random = generator(seed);
  const draw = (size: number[]): number[] =>
    Array.from({ length: elementCount(size) }, () => symmetric(random));
  const d = await differentiated({
    inputs: { x: { shape: dims, dtype: DType.float } },
    build: (g) => {
      const constants = more.map((m) => {
        if (!m) return '';
        const [size, values] = Array.isArray(m) ? [m, draw(m)] : [[m.values.length], m.values];
        // Variances are positive.
        return g.constant(
          DType.float,
          size,
          op === 'BatchNormalization' ? values.map((v) => v + 1.5) : values,
        );
      });
      const given = Object.entries(attributes).filter(([, v]) => v !== undefined);
      return [g.op(op, ['x', ...constants], Object.fromEntries(given) as Record<string, AttributeLike>)];
    },
    open: [],
  });
  const [forward, backward] = [
    await openSession(encodeModel(d.forward)),
    await openSession(encodeModel(d.backward)),
  ];
  const tensor = (size: readonly number[], values: number[]): HostTensor => ({
    dtype: DType.float,
    dims: [...size],
    data: Float32Array.from(values),
  });
  const [y] = d.outputs as [string];
  const [x, zero] = [tensor(dims, draw(dims)), tensor(dims, new Array<number>(elementCount(dims)).fill(0))];
  const [at, start] = [(await forward.run({ x }))[y]!, (await forward.run({ x: zero }))[y]!];
  const w = tensor(at.dims, draw([...at.dims]));
  const dx = (await backward.run({ x, [`w ${y}`]: w }))[d.gradients.get('x')!]!;
  await forward.dispose();
  await backward.dispose();
  expect(dx.dims).toEqual(dims);
  expect(fixSizes(d.forward.graph, new Map([['x', dims]])).infos.get(y)!.shape).toEqual(at.dims);
  const numbers = (t: HostTensor) => Array.from(t.data, Number);
  const products = (a: number[], b: number[]) => a.map((v, i) => v * b[i]!);
  const change = numbers(at).map((v, i) => v - Number(start.data[i]));
  const [moved, back] = [products(change, numbers(w)), products(numbers(dx), numbers(x))];
  const sum = (terms: number[]) => terms.reduce((a, b) => a + b, 0);
  const scale = 1 + sum(moved.map(Math.abs));
  expect(Math.abs(sum(moved) - sum(back)) / scale).toBeLessThan(2e-6);
}

const check = (cases: fc.Arbitrary<Linear>, numRuns = 10) =>
  fc.assert(fc.asyncProperty(cases, isTransposed), { numRuns, seed: 1 });

const many = <T>(count: number, one: fc.Arbitrary<T>) =>
  fc.array(one, { minLength: count, maxLength: count });
const int = (min: number, max: number) => fc.integer({ min, max });

/** A kernel sliding over one to three axes; margins are smaller than it, and differ on the two sides. */
const windows = (auto: boolean) =>
  int(1, 3).chain((axes) =>
    fc
      .record({
        kernel: many(axes, int(1, 3)),
        strides: many(axes, int(1, 3)),
        dilations: many(axes, int(1, 2)),
        size: many(axes, int(5, 8)),
        margins: many(2 * axes, int(0, 2)),
        auto_pad: auto
          ? fc.constantFrom(undefined, undefined, 'VALID', 'SAME_UPPER', 'SAME_LOWER')
          : fc.constant(undefined),
        batch: int(1, 2),
        seed: fc.nat(999),
      })
      .map(({ margins, ...w }) => ({
        ...w,
        pads: w.auto_pad ? undefined : margins.map((m, i) => Math.min(m, w.kernel[i % axes]! - 1)),
      })),
  );

describe('gradients of linear operators on images are the transposed maps', () => {
  it('Conv with groups, dilations, strides and any margins', () =>
    check(
      fc.tuple(windows(true), int(1, 3), int(1, 2), int(1, 2)).map(([w, group, ins, outs]) => ({
        op: 'Conv',
        dims: [w.batch, group * ins, ...w.size],
        attributes: {
          kernel_shape: w.kernel,
          strides: w.strides,
          // ONNX Runtime pads as if there were none, where it chooses the margins itself.
          dilations: w.auto_pad ? undefined : w.dilations,
          pads: w.pads,
          auto_pad: w.auto_pad,
          group,
        },
        more: [[group * outs, ins, ...w.kernel], [group * outs]],
        seed: w.seed,
      })),
    ));

  it('ConvTranspose', () =>
    check(
      fc.tuple(windows(false), int(1, 2), int(1, 2), int(1, 2)).map(([w, group, ins, outs]) => ({
        op: 'ConvTranspose',
        dims: [w.batch, group * ins, ...w.size],
        attributes: {
          kernel_shape: w.kernel,
          strides: w.strides,
          dilations: w.dilations,
          pads: w.pads,
          group,
          output_padding: w.strides.map((s, i) => Math.min(s, w.dilations[i]!) - 1),
        },
        more: [[group * ins, outs, ...w.kernel]],
        seed: w.seed,
      })),
    ));

  it('AveragePool, rounded up and with counted margins, and GlobalAveragePool', () =>
    check(
      fc
        .tuple(windows(true), fc.nat(1), fc.nat(1), fc.nat(9))
        .map(([w, ceil_mode, count_include_pad, global]) => ({
          op: global === 0 ? 'GlobalAveragePool' : 'AveragePool',
          dims: [w.batch, 2, ...w.size],
          attributes:
            global === 0
              ? {}
              : {
                  kernel_shape: w.kernel,
                  strides: w.strides.map((s, i) => (w.auto_pad ? Math.min(s, w.kernel[i]!) : s)),
                  dilations: w.auto_pad ? undefined : w.dilations,
                  pads: w.pads,
                  auto_pad: w.auto_pad,
                  count_include_pad,
                  ceil_mode: w.auto_pad ? undefined : ceil_mode,
                },
          more: [],
          seed: w.seed,
        })),
      40,
    ));

  it('Resize, nearest, linear and cubic, by scales', () =>
    check(
      fc
        .record({
          mode: fc.constantFrom('nearest', 'linear', 'cubic'),
          coordinate_transformation_mode: fc.constantFrom(
            'half_pixel',
            'asymmetric',
            'align_corners',
            'pytorch_half_pixel',
          ),
          nearest_mode: fc.constantFrom('round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'),
          scales: fc.tuple(fc.constantFrom(0.5, 1, 1.5, 2), fc.constantFrom(0.6, 2, 3)),
          seed: fc.nat(999),
        })
        .map(({ scales, seed, nearest_mode, ...attributes }) => ({
          op: 'Resize',
          dims: [1, 2, 6, 5],
          attributes: { ...attributes, ...(attributes.mode === 'nearest' && { nearest_mode }) },
          more: [undefined, { values: [1, 1, ...scales] }],
          seed,
        })),
      15,
    ));

  it('Resize to a position in the middle, which float32 rounds', () =>
    isTransposed({
      op: 'Resize',
      dims: [1, 2, 6, 5],
      attributes: { mode: 'nearest', nearest_mode: 'floor' },
      more: [undefined, { values: [1, 1, 0.5, 0.6] }],
      seed: 0,
    }));

  it('BatchNormalization at inference', () =>
    check(
      fc.record({ size: fc.array(int(1, 4), { maxLength: 3 }), seed: fc.nat(999) }).map(({ size, seed }) => ({
        op: 'BatchNormalization',
        dims: [2, 3, ...size],
        attributes: { epsilon: { float: 1e-3 } },
        more: [[3], [3], [3], [3]],
        seed,
      })),
      4,
    ));
});
