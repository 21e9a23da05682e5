import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DType } from '../../../../src/graph/dtype';
import { nbitsRows } from '../../../../src/graph/quantized/nbits';
import { quantizeRows, type Quantization } from '../../../../src/graph/quantized/quantize-rows';
import { generator, symmetric } from '../../autodiff/check';

const tensor = (name: string, dtype: number, data: Uint8Array | Float32Array) => ({
  name,
  dtype,
  dims: [data.length],
  data: new Uint8Array(data.buffer),
});

const settings: fc.Arbitrary<Quantization & { inFeatures: number; shift: number }> = fc.record({
  bits: fc.constantFrom(4 as const, 8 as const),
  blockSize: fc.constantFrom(16, 32),
  symmetric: fc.boolean(),
  inFeatures: fc.integer({ min: 1, max: 70 }),
  shift: fc.constantFrom(0, 3),
});

it('rounded rows are as near as their error says, and as near as the steps between integers', () => {
  fc.assert(
    fc.property(settings, fc.nat(), (q, seed) => {
      const random = generator(seed);
      const outFeatures = 3;
      const { inFeatures } = q;
      const values = Float32Array.from(
        { length: outFeatures * inFeatures },
        () => symmetric(random) + q.shift,
      );
      const { packed, scales, zeros, error, norm } = quantizeRows(values, inFeatures, q);
      const blocks = Math.ceil(inFeatures / q.blockSize);
      const back = nbitsRows({
        ...q,
        outFeatures,
        blocks,
        weight: tensor('w', DType.uint8, packed),
        scales: tensor('s', DType.float, scales),
        zeroPoints: q.symmetric ? undefined : tensor('z', DType.uint8, zeros),
        bias: undefined,
      });
      const squares = values.reduce((sum, v, i) => sum + (v - back[i]) ** 2, 0);
      expect(squares).toBeCloseTo(error, 5);
      expect(norm).toBeCloseTo(
        values.reduce((sum, v) => sum + v * v, 0),
        4,
      );
      // The root of the mean square error of rounding to steps of the largest possible range.
      const range = q.symmetric ? 2 * (1 + q.shift) : 2 + q.shift;
      const step = range / (2 ** q.bits - 2);
      expect(Math.sqrt(squares / values.length)).toBeLessThan(0.6 * step);
    }),
    { numRuns: 60, seed: 1 },
  );
});

it('rows of zeros stay zeros', () => {
  const q = { bits: 4, blockSize: 16, symmetric: true } as const;
  expect(quantizeRows(new Float32Array(16), 16, q)).toMatchObject({
    error: 0,
    packed: new Uint8Array(8).fill(0x88),
  });
});

it('a smaller range is chosen where it rounds better', () => {
  // One value at the end of the range, the others where its steps would round them badly.
  const values = Float32Array.from({ length: 16 }, (_, i) => (i === 0 ? -1 : 0.1874 * (i % 2 ? 1 : -1)));
  const { error } = quantizeRows(values, 16, { bits: 4, blockSize: 16, symmetric: true });
  const plain = values.reduce((sum, v) => sum + (v - Math.round(v * 8) / 8) ** 2, 0);
  expect(error).toBeLessThan(0.6 * plain);
});
