import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DType } from '../../../src/graph/dtype';
import { elementCount, type Tensor } from '../../../src/graph/model';
import { upgradeModel } from '../../../src/graph/upgrade/upgrade';
import { tensorOf } from '../../../src/graph/values';
import { type Attributes, difference, host, input, model, node, runModel } from './onnx-models';

const { float } = DType;

interface Old {
  opset: number;
  op: string;
  dims: number[];
  attributes: Attributes;
  /** Constants after the input; undefined is absent. */
  more?: (Omit<Tensor, 'name'> | undefined)[];
  dtype?: number;
  rtol?: number;
}

const constant = (dtype: number, dims: number[], values: number[]) => tensorOf('', dtype, dims, values);

/** Checks that an operator of an older opset computes the same in the internal one. */
async function staysSame({ opset, op, dims, attributes, more = [], dtype = float, rtol = 1e-5 }: Old) {
  const m = model({
    opset,
    inputs: [input('x', dtype, dims)],
    nodes: [node(op, ['x', ...more.map((c, i) => (c ? `c${i}` : ''))], ['y'], attributes)],
    initializers: more.flatMap((c, i) => (c ? [{ ...c, name: `c${i}` }] : [])),
    outputs: ['y'],
  });
  const values = Array.from({ length: elementCount(dims) }, (_, i) => ((i * 37 + 11) % 23) - 11);
  const feeds = { x: host(dims, dtype === float ? values.map((v) => v / 3) : values, dtype) };
  const want = await runModel(m, feeds);
  expect(difference(want, await runModel(upgradeModel(m), feeds), rtol, rtol)).toBeUndefined();
}

const check = (cases: fc.Arbitrary<Old>, numRuns: number) =>
  fc.assert(fc.asyncProperty(cases, staysSame), { numRuns, seed: 1 });
const int = (min: number, max: number) => fc.integer({ min, max });
const many = (count: number, min: number, max: number) =>
  fc.array(int(min, max), { minLength: count, maxLength: count });

describe('operators on images and quantized numbers of older opsets keep their numbers', () => {
  it.each(['AveragePool', 'MaxPool', 'LpPool'])('%s', (op) =>
    check(
      fc
        .record({
          opset: fc.constantFrom(9, 10, 11, 12, 18, 19),
          kernel: many(2, 1, 3),
          strides: many(2, 1, 3),
          pads: many(4, 0, 2),
          size: many(2, 4, 7),
          ceil_mode: int(0, 1),
          count_include_pad: int(0, 1),
          dilations: many(2, 1, 2),
        })
        .map(({ opset, kernel, strides, pads, size, dilations, ...flags }) => ({
          opset,
          op,
          dims: [1, 2, ...size],
          attributes: {
            kernel_shape: kernel,
            strides: strides.map((s, i) => Math.min(s, kernel[i]!)),
            pads: pads.map((p, i) => Math.min(p, kernel[i % 2]! - 1)),
            ceil_mode: opset >= 10 && op !== 'LpPool' ? flags.ceil_mode : undefined,
            count_include_pad: op === 'AveragePool' ? flags.count_include_pad : undefined,
            dilations: op === 'MaxPool' && opset >= 10 ? dilations : undefined,
          },
        })),
      8,
    ),
  );

  it('Resize of opsets 11 to 19, by scales or sizes, with what each version has', () =>
    check(
      fc
        .record({
          opset: fc.constantFrom(11, 13, 18, 19),
          mode: fc.constantFrom('nearest', 'linear', 'cubic'),
          coordinate_transformation_mode: fc.constantFrom(
            'half_pixel',
            'asymmetric',
            'align_corners',
            'pytorch_half_pixel',
          ),
          nearest_mode: fc.constantFrom('round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'),
          scales: fc.option(fc.tuple(fc.constantFrom(0.5, 1.5, 2), fc.constantFrom(0.6, 1, 3)), {
            nil: undefined,
          }),
          sizes: many(2, 2, 9),
          exclude_outside: int(0, 1),
          antialias: int(0, 1),
          axes: fc.boolean(),
        })
        .map(({ opset, scales, sizes, mode, nearest_mode, exclude_outside, antialias, axes, ...modes }) => {
          const some = axes && opset >= 18;
          const ones = some ? [] : [1, 1];
          const whole = (values: number[]) => [...ones, ...values];
          return {
            opset,
            op: 'Resize',
            dims: [1, 1, 5, 6],
            attributes: {
              ...modes,
              mode,
              nearest_mode: mode === 'nearest' ? nearest_mode : undefined,
              exclude_outside: mode === 'cubic' ? exclude_outside : undefined,
              antialias: opset >= 18 && mode !== 'nearest' ? antialias : undefined,
              axes: some ? [2, 3] : undefined,
            },
            more: [
              constant(float, [0], []),
              scales
                ? constant(float, [whole(scales).length], whole(scales))
                : opset < 13
                  ? constant(float, [0], [])
                  : undefined,
              scales ? undefined : constant(DType.int64, [whole(sizes).length], whole(sizes)),
            ].slice(0, scales ? 2 : 3),
          };
        }),
      15,
    ));

  it('QuantizeLinear and DequantizeLinear, per tensor and per channel', () =>
    check(
      fc
        .record({
          opset: fc.constantFrom(10, 13, 19, 21, 23),
          quantizes: fc.boolean(),
          axis: fc.option(fc.constantFrom(0, 1, -1, -2), { nil: undefined }),
          zero: fc.boolean(),
          signed: fc.boolean(),
        })
        .map(({ opset, quantizes, axis, zero, signed }) => {
          const dims = [3, 4];
          const own = opset >= 13 && axis !== undefined;
          const count = own ? dims.at(axis)! : 1;
          const shape = own ? [count] : [];
          const type = signed ? DType.int8 : DType.uint8;
          const scales = Array.from({ length: count }, (_, i) => 0.3 + i / 4);
          const zeros = Array.from({ length: count }, (_, i) => (signed ? i - 1 : 120 + i));
          return {
            opset,
            op: quantizes ? 'QuantizeLinear' : 'DequantizeLinear',
            dims,
            dtype: quantizes ? float : type,
            attributes: { axis: own ? axis : undefined },
            // Without a zero point, the result of quantizing is uint8.
            more: [constant(float, shape, scales), ...(zero ? [constant(type, shape, zeros)] : [])],
          };
        }),
      15,
    ));

  it('Pad of opsets 11 to 18, also of some axes', () =>
    check(
      fc
        .record({
          opset: fc.constantFrom(11, 13, 18, 19),
          mode: fc.constantFrom('constant', 'edge', 'reflect'),
          pads: many(4, -1, 2),
          some: fc.boolean(),
        })
        .map(({ opset, mode, pads, some }) => {
          const axes = some && opset >= 18;
          const widths = axes ? [pads[0]!, pads[2]!] : pads;
          return {
            opset,
            op: 'Pad',
            dims: [4, 5],
            attributes: { mode },
            more: [
              constant(DType.int64, [widths.length], widths),
              mode === 'constant' || axes ? constant(float, [], [2.5]) : undefined,
              axes ? constant(DType.int64, [1], [-1]) : undefined,
            ].slice(0, axes ? 3 : mode === 'constant' ? 2 : 1),
          };
        }),
      10,
    ));
});
