import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DType } from '../../../../src/graph/dtype';
import { dequantized } from '../../../../src/graph/quantized/dequantize';
import { nbitsOf, nbitsRows } from '../../../../src/graph/quantized/nbits';
import { requantizeLinear, requantizeNBits } from '../../../../src/graph/quantized/requantize';
import { readTensorBytes, tensorOf } from '../../../../src/graph/values';
import { generator, symmetric } from '../../autodiff/check';
import { nbitsLayer } from './nbits-layer';

const squares = (a: Float32Array, b: Float32Array) => a.reduce((sum, v, i) => sum + (v - b[i]) ** 2, 0);

/** Values with small changes. */
const changed = (values: Float32Array, by: number, random: () => number) =>
  values.map((v) => v + by * symmetric(random));

describe('a weight that is quantized again', () => {
  it('with MatMulNBits: as it was if nothing changed, and otherwise as near as its error says', () => {
    fc.assert(
      fc.property(
        fc.record({
          bits: fc.constantFrom(2, 4, 8),
          blockSize: fc.constantFrom(16, 32),
          inFeatures: fc.integer({ min: 1, max: 70 }),
          outFeatures: fc.integer({ min: 1, max: 4 }),
          zeros: fc.constantFrom('none' as const, 'packed' as const, 'float' as const),
          flat: fc.boolean(),
          bias: fc.constant(false),
          rank: fc.constant(2),
        }),
        fc.nat(),
        (options, seed) => {
          const random = generator(seed);
          const { graph } = nbitsLayer(options, random);
          const w = nbitsOf(graph.nodes[0], (name) => graph.initializers.get(name));
          const before = nbitsRows(w);
          const same = requantizeNBits(w, before);
          expect(same.error).toBe(0);
          expect(nbitsRows({ ...w, ...same })).toEqual(before);

          const values = changed(before, 0.3, random);
          const made = requantizeNBits(w, values);
          expect(squares(nbitsRows({ ...w, ...made }), values)).toBeCloseTo(made.error, 4);
          // Before, each value was at most this far from the grid's.
          expect(made.error).toBeLessThanOrEqual(squares(before, values) + 1e-6);
        },
      ),
      { numRuns: 60, seed: 1 },
    );
  });

  const [ROWS, COLUMNS] = [6, 32];
  it.each<[string, number, number, number, number[], number]>([
    ['int8, one scale', DType.int8, 1, 0, [], DType.float],
    ['uint8, a scale for each column', DType.uint8, 1, 0, [COLUMNS], DType.float],
    ['int8, a scale for each row, in float16', DType.int8, 0, 0, [ROWS], DType.float16],
    ['int4, a scale for each block', DType.int4, 1, 16, [ROWS, COLUMNS / 16], DType.float],
    ['uint4, blocks along the first axis', DType.uint4, 0, 4, [2, COLUMNS], DType.float],
  ])('with DequantizeLinear: %s', (_, dtype, axis, blockSize, dims, scaleType) => {
    const random = generator(3);
    const wide = dtype === DType.int8 || dtype === DType.uint8;
    const signed = dtype === DType.int8 || dtype === DType.int4;
    // Seven of eight bits, as some quantizers use them.
    const [low, high] = [signed ? (wide ? -64 : -8) : 0, (wide ? 127 : 15) - (signed ? (wide ? 63 : 8) : 0)];
    const draw = (n: number, of: () => number) => Array.from({ length: n }, of);
    const count = dims.reduce((a, b) => a * b, 1);
    const integer = () => low + Math.floor(random() * (high - low + 1));
    const form = {
      weight: tensorOf('w', dtype, [ROWS, COLUMNS], draw(ROWS * COLUMNS, integer)),
      scale: tensorOf(
        's',
        scaleType,
        dims,
        draw(count, () => 0.01 + 0.01 * random()),
      ),
      zero: tensorOf(
        'z',
        dtype,
        dims,
        draw(count, () => low + Math.floor((high - low) / 2)),
      ),
      axis,
      blockSize,
    };
    const back = ({ weight, scales }: { weight: typeof form.weight; scales: typeof form.scale }) =>
      dequantized(weight, scales, form.zero, axis, blockSize);
    const before = dequantized(form.weight, form.scale, form.zero, axis, blockSize);
    const same = requantizeLinear(form, before);
    expect(same.error).toBe(0);
    expect(readTensorBytes(same.weight)).toEqual(readTensorBytes(form.weight));

    const values = changed(before, 0.05, random);
    const made = requantizeLinear(form, values);
    expect(made.scales).toMatchObject({ dtype: scaleType, dims });
    expect(squares(back(made), values)).toBeCloseTo(made.error, 4);
    expect(made.error).toBeLessThan(squares(before, values));
    const integers = dequantized(made.weight, tensorOf('', DType.float, [], [1]), undefined, 0, 0);
    expect(Math.min(...integers)).toBeGreaterThanOrEqual(low);
    expect(Math.max(...integers)).toBeLessThanOrEqual(high);
  });
});
