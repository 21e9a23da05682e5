import type { LayerSnapshot } from '../../../src/protocol/activations';
import { auroraSpec } from '../specs';

export const SPEC = auroraSpec({ targetModules: ['query'] });

/** A snapshot of a layer whose inputs were exactly these values, one list per coordinate. */
export function layerOf(
  values: readonly (readonly number[])[],
  weights: { H: number[]; W: number[] },
  exact = false,
): LayerSnapshot {
  const [bins, range] = [60, [-3, 3] as [number, number]];
  const counts = new Uint32Array(values.length * (bins + 2));
  values.forEach((list, i) => {
    for (const z of list) {
      const bin = Math.floor(((z - range[0]) / (range[1] - range[0])) * bins) + 1;
      counts[i * (bins + 2) + Math.max(0, Math.min(bins + 1, bin))]++;
    }
  });
  return {
    path: 'encoder.layer.0.query',
    rank: values.length,
    range,
    bins,
    tokens: values[0].length,
    counts,
    samples: new Uint32Array(counts.length * 8),
    H: Float32Array.from(weights.H),
    W: Float32Array.from(weights.W),
    ...(exact && {
      low: values.map((l) => Math.min(...l)),
      high: values.map((l) => Math.max(...l)),
      outside: values.map((l) => l.filter((z) => Math.abs(z) > 2.2).length),
    }),
  };
}

export const gaussian = (n: number, scale: number): number[] =>
  // An approximate inverse of the normal distribution through the logistic function: smooth and
  // deterministic.
  Array.from({ length: n }, (_, i) => (scale * Math.log((i + 0.5) / n / (1 - (i + 0.5) / n))) / 1.702);
