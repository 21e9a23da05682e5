import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DType } from '../../../src/graph/dtype';
import { fromBfloat16, fromHalf, toBfloat16, toHalf } from '../../../src/graph/number-formats';
import { tensorNumbers, tensorOf } from '../../../src/graph/values';
import { host, input, model, node, runModel } from './onnx-models';

describe('16-bit floats', () => {
  it.each([
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65519, 0x7bff],
    [65520, 0x7c00],
    [-Infinity, 0xfc00],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [2 ** -14, 0x0400],
    // Ties round to even: 1 + 1/2048 down, 1 + 3/2048 up.
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    // Rounding the fraction up carries into the exponent.
    [2 - 2 ** -12, 0x4000],
  ])('encode %d as %i in binary16', (value, bits) => expect(toHalf(value)).toBe(bits));

  it('preserve every binary16 and bfloat16 value', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      if (!Number.isNaN(fromHalf(bits))) expect(toHalf(fromHalf(bits))).toBe(bits);
      if (!Number.isNaN(fromBfloat16(bits))) expect(toBfloat16(fromBfloat16(bits))).toBe(bits);
    }
    expect([fromHalf(toHalf(NaN)), fromBfloat16(toBfloat16(NaN))]).toEqual([NaN, NaN]);
  });

  it("are rounded as by ONNX Runtime's casts", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 50 }),
        async (values) => {
          const m = model({
            opset: 13,
            inputs: [input('x', DType.float, ['n'])],
            nodes: [node('Cast', ['x'], ['y'], { to: DType.float16 })],
            outputs: ['y'],
          });
          const { y } = await runModel(m, { x: host([values.length], values) });
          const got = host([values.length], values, DType.float16);
          expect(Array.from(got.data as Uint16Array)).toEqual(Array.from(y.data as Uint16Array));
        },
      ),
      { numRuns: 20 },
    ));

  it.each([DType.float16, DType.bfloat16])(
    'give their values, not their bits, in tensors of type %i',
    (dtype) => expect(tensorNumbers(tensorOf('t', dtype, [3], [1.5, -2, 0.25]))).toEqual([1.5, -2, 0.25]),
  );
});
