import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { anl } from '../../../../src/adapters/methods/anl';
import {
  curvesAt,
  evenly,
  medians,
  outsideShare,
  shapeOf,
  sigmaAt,
  quantile,
} from '../../../../src/adapters/activations/curves';
import { basisCount, splineDims } from '../../../../src/adapters/methods/spline';
import { SPLINE_READINGS } from '../../../../src/experiment/methods';
import { decodeSnapshot } from '../../../../src/protocol/activations';
import { gaussian, layerOf, SPEC } from '../snapshots';

const zeros = (n: number) => new Array<number>(n).fill(0);
const ownLines = (rest: number[]) => rest.map((_, i) => ({ output: i, input: i, rest }));

describe('the curves along a line', () => {
  const file = 'test/fixtures/activations/activations/step-000060.bin';
  const { layers } = decodeSnapshot(readFileSync(file));

  for (const activation of ['tanh', 'sigmoid', 'leaky-relu'] as const)
    for (const splineOrder of [1, 2, 3])
      it(`match the adapter's own σ: ${activation}, order ${splineOrder}`, () => {
        const layer = layers[1];
        // Order 3 uses all of the trained W's columns, lower orders only some of them.
        const spec = { ...SPEC, activation, splineOrder, gridSize: 8 - splineOrder };
        const z = evenly(layer.range, 41);
        const rest = medians(layer);
        for (const output of [0, 1])
          for (const input of [0, 1]) {
            const { fixed, spline, sum } = curvesAt(layer, spec, { output, input, rest }, z);
            z.forEach((v, k) => {
              const at = rest.map((m, j) => (j === input ? v : m));
              const part = (which: object) => anl(at, layer.H, layer.W, { ...spec, ...which })[output];
              expect(sum[k]).toBeCloseTo(part({}), 12);
              expect(fixed[k]).toBeCloseTo(part({ learnable: false }), 12);
              expect(spline[k]).toBeCloseTo(part({ fixed: false }), 12);
            });
          }
      });

  for (const spline of SPLINE_READINGS)
    it(`match the adapter's own σ of rank 3: spline ${spline}`, () => {
      const rank = 3;
      const spec = { ...SPEC, spline, rank };
      const numbers = (n: number, by: number) =>
        Float32Array.from({ length: n }, (_, i) => Math.sin(by * i + 1));
      const H = numbers(rank * rank, 2);
      const W = numbers(
        splineDims(spec, rank).reduce((a, b) => a * b),
        3,
      );
      const z = evenly([-2.5, 2.5], 21);
      const rest = [0.4, -0.7, 1.1];
      for (let output = 0; output < rank; output++)
        for (let input = 0; input < rank; input++) {
          const curves = curvesAt({ H, W }, spec, { output, input, rest }, z);
          z.forEach((v, k) => {
            const at = rest.map((m, j) => (j === input ? v : m));
            const part = (which: object) => anl(at, H, W, { ...spec, ...which })[output];
            expect(curves.sum[k]).toBeCloseTo(part({}), 12);
            expect(curves.spline[k]).toBeCloseTo(part({ fixed: false }), 12);
          });
          // A spline of its own coordinate alone does not bend along another.
          const bends = new Set(curves.spline).size > 1;
          expect(bends).toBe(spline !== 'per-dimension' || input === output);
        }
      expect(W).toHaveLength(basisCount(spec) * (spline === 'per-pair' ? 9 : 3));
    });

  it('omit a part that is switched off', () => {
    const line = { output: 0, input: 0, rest: [0, 0] };
    const z = evenly([-2, 2], 9);
    const off = curvesAt(layers[0], { ...SPEC, learnable: false }, line, z);
    expect([...off.spline]).toEqual(zeros(9));
    expect([...off.sum]).toEqual([...off.fixed]);
    expect([...sigmaAt(layers[0], SPEC, line, z)]).not.toEqual([...off.sum]);
  });
});

describe('the share outside the support', () => {
  const values = [
    [-2.9, -2.21, 0, 0.5, 1, 2.19, 2.5, 9],
    [0, 0, 0, 0, 0, 0, 0, -7],
  ];
  const weights = { H: zeros(4), W: zeros(16) };

  it('matches a count by hand', () => {
    const layer = layerOf(values, weights, true);
    expect(outsideShare(layer, SPEC, 0)).toBe(4 / 8);
    expect(outsideShare(layer, SPEC, 1)).toBe(1 / 8);
    expect(outsideShare(layer, SPEC)).toBe(5 / 16);
  });

  it('is derived from the bins without an exact count, and is exact when the support ends at a bin edge', () => {
    // ±2.2 is an edge of 60 bins over ±3.
    expect(outsideShare(layerOf(values, weights), SPEC, 0)).toBeCloseTo(4 / 8, 9);
  });

  it('as counted by the trainer agrees with the histogram', () => {
    const { layers } = decodeSnapshot(readFileSync('test/fixtures/activations/activations/step-000060.bin'));
    for (const layer of layers) {
      const estimated = outsideShare({ ...layer, outside: undefined }, SPEC);
      expect(Math.abs(outsideShare(layer, SPEC) - estimated)).toBeLessThan(0.01);
    }
  });
});

describe('quantiles', () => {
  it('match the sorted values to within one bin', () => {
    const layer = layerOf([gaussian(999, 0.7), zeros(999)], { H: zeros(4), W: zeros(16) }, true);
    const sorted = gaussian(999, 0.7);
    for (const q of [0.01, 0.25, 0.5, 0.75, 0.99])
      expect(Math.abs(quantile(layer, 0, q) - sorted[Math.floor(q * 999)])).toBeLessThan(0.1);
    expect(quantile(layer, 0, 1)).toBe(sorted[998]);
  });
});

describe('the shape of σ over the data', () => {
  const near = [gaussian(500, 0.05), gaussian(500, 0.05)];
  const wide = [gaussian(500, 2), gaussian(500, 2)];
  const identity = { H: [1, 0, 0, 1], W: zeros(16) };
  const shape = (values: number[][], weights: { H: number[]; W: number[] }, first = weights) => {
    const layer = layerOf(values, weights, true);
    const before = { H: Float32Array.from(first.H), W: Float32Array.from(first.W) };
    return shapeOf(layer, before, SPEC, ownLines(medians(layer)));
  };

  it('is linear where the data is near zero and not linear where the spline bends', () => {
    expect(shape(near, identity).linearity).toBeGreaterThan(0.999);
    // Zero except for one bump in the middle: no line explains it.
    const hump = [...zeros(3), 5, 5, ...zeros(3)];
    expect(shape(wide, { H: zeros(4), W: [...hump, ...hump] }).linearity).toBeLessThan(0.1);
  });

  it('reports a constant as linear and fully saturated', () => {
    const { linearity, saturation } = shape(near, { H: zeros(4), W: zeros(16) });
    expect([linearity, saturation]).toEqual([1, 1]);
  });

  it('counts as saturated where the slope of tanh(tanh z) is below 5% of its maximum, 1', () => {
    const slope = (z: number) => (1 - Math.tanh(Math.tanh(z)) ** 2) * (1 - Math.tanh(z) ** 2);
    const share = wide[0].filter((z) => slope(z) < 0.05).length / 500;
    expect(Math.abs(shape(wide, identity).saturation - share)).toBeLessThan(0.03);
    expect(shape(near, identity).saturation).toBe(0);
  });

  it('measures the change as the weighted RMS difference', () => {
    // act(H act(z)) with H from 0 to 1: the difference is the new curve itself.
    const some = [gaussian(500, 0.5), gaussian(500, 0.5)];
    const { change } = shape(some, identity, { H: zeros(4), W: zeros(16) });
    const own = some[0].map((z) => Math.tanh(Math.tanh(z)));
    const rms = Math.sqrt(own.reduce((s, v) => s + v * v, 0) / own.length);
    expect(Math.abs(change / rms - 1)).toBeLessThan(0.02);
    expect(shape(near, identity).change).toBe(0);
  });
});
