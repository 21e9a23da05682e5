import { describe, expect, it } from 'vitest';
import { anl } from '../../../src/adapters/methods/anl';
import { splineDims } from '../../../src/adapters/methods/spline';
import { SPLINE_READINGS } from '../../../src/experiment/methods';
import { layerMessage } from '../../../src/extension/panels/activations/layer-view';
import { gaussian, layerOf, SPEC } from '../adapters/snapshots';

const numbers = (n: number, by: number) => Array.from({ length: n }, (_, i) => Math.sin(by * i + 1));

describe.each(SPLINE_READINGS)('a layer in detail, with the spline %s', (spline) => {
  const spec = { ...SPEC, spline };
  const size = splineDims(spec, 2).reduce((a, b) => a * b);
  const layer = layerOf([gaussian(99, 0.6), gaussian(99, 0.3)], { H: numbers(4, 2), W: numbers(size, 3) });

  it('has a row of weights for each line that is drawn, and the curve of the chosen output and input', () => {
    const at = { step: 3, firstStep: 0, output: 1, input: 0 };
    const { W, basisCenters, curves, medians } = layerMessage(layer, layer, spec, at);
    expect(basisCenters).toHaveLength(8);
    // With a spline per pair, the rows from both inputs to output 1.
    const own = spline === 'per-pair' ? layer.W.slice(16, 32) : layer.W;
    expect([...W]).toEqual([...own]);
    curves!.z.forEach((v, k) => {
      const sigma = anl([v, medians[1]], layer.H, layer.W, spec)[1];
      expect(curves!.sum[k]).toBeCloseTo(sigma, 5);
    });
  });
});
