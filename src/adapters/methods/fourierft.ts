import { AuroraError } from '../../base/errors';
import type { FourierftSpec } from '../../experiment/methods';
import { permuted, Stream } from '../../base/random';
import { lowRankProduct } from './low-rank';
import { normal, type AdapterMethod, type LayerShape, type OnLayer } from './method';

/**
 * FourierFT (Gao et al., arXiv 2405.03003): ΔW = scaling · Re(IDFT2(F)), where F (out, in) is zero except for n trained
 * coefficients at random positions, the same for all layers of a size. With the coefficient c at (u, v)
 *
 *   ΔW[p, q] = scaling / (out · in) · Σ c cos(2π(u p / out + v q / in)),
 *
 * and cos(a + b) = cos a cos b − sin a sin b splits it into two products with x in between: ΔW is never built during
 * training.
 */
export const fourierft: AdapterMethod<FourierftSpec> = {
  tensors({ layer, spec }) {
    const { frequencies } = spec;
    requirePlaces(layer, frequencies);
    return [
      { name: 'c', dims: [frequencies], rankAxes: [], peftName: 'fourierft_spectrum', init: normal(1) },
    ];
  },

  frozen: (on) => {
    const { inFeatures, outFeatures } = on.layer;
    const { frequencies } = on.spec;
    const size = `${outFeatures}x${inFeatures}`;
    return [
      {
        name: 'V',
        dims: [inFeatures, 2 * frequencies],
        shared: `fourierft.V ${size}`,
        values: () => inputWaves(on),
      },
      {
        name: 'U',
        dims: [2 * frequencies, outFeatures],
        shared: `fourierft.U ${size}`,
        values: () => outputWaves(on),
      },
    ];
  },

  delta(g, { x }, p, on, dtype) {
    const c = g.op('Mul', [p.c, g.scalar(factor(on), dtype)]);
    const twice = g.op('Concat', [c, c], { axis: 0 });
    return { delta: g.op('MatMul', [g.op('Mul', [g.op('MatMul', [x, p.V]), twice]), p.U]) };
  },

  change({ c }, on) {
    const [U, V] = [outputWaves(on), inputWaves(on)];
    const k = 2 * c.length;
    const { inFeatures, outFeatures } = on.layer;
    const B = new Float32Array(outFeatures * k);
    for (let o = 0; o < outFeatures; o++) for (let j = 0; j < k; j++) B[o * k + j] = U[j * outFeatures + o];
    const A = new Float32Array(k * inFeatures);
    for (let j = 0; j < k; j++)
      for (let i = 0; i < inFeatures; i++) A[j * inFeatures + i] = c[j % c.length] * V[i * k + j];
    return { weight: lowRankProduct(B, A, on.layer, factor(on)) };
  },
  sizeLimit: (layers) => Math.min(...layers.map(placeCount)),
  stated: ['scaling', 'locationSeed'],
  neutral: ({ c }) => ({ c: new Float32Array(c.length) }),
  flops({ layer: { inFeatures, outFeatures }, spec: { frequencies } }) {
    const products = 4 * frequencies * (inFeatures + outFeatures);
    return { forward: products, backward: products + 4 * frequencies };
  },
  formula: () => 'n',

  peft: {
    type: 'AURORA_FOURIERFT',
    write: (spec) => ({
      fourierft_dropout: spec.dropout,
      location_seed: spec.locationSeed,
      n_frequency: spec.frequencies,
      scaling: spec.scaling,
    }),
    read: (c) => ({
      method: 'fourierft',
      frequencies: c.number('n_frequency'),
      scaling: c.number('scaling'),
      locationSeed: c.number('location_seed'),
      dropout: c.number('fourierft_dropout', 0),
    }),
  },
};

const factor = ({ layer, spec }: OnLayer<FourierftSpec>): number =>
  spec.scaling / (layer.inFeatures * layer.outFeatures);

const placeCount = ({ inFeatures, outFeatures }: LayerShape): number => inFeatures * outFeatures;

function requirePlaces(layer: LayerShape, frequencies: number): void {
  const { inFeatures, outFeatures } = layer;
  const places = placeCount(layer);
  if (frequencies > places)
    throw new AuroraError(
      'rank',
      `adapter.frequencies is ${frequencies}, but a layer of ${outFeatures} × ${inFeatures} has only ${places} positions for them.`,
      'Choose fewer frequencies, or leave the small layers out with adapter.excludeModules.',
    );
}

/** V (in, 2n): cos and −sin along the inputs. */
function inputWaves(on: OnLayer<FourierftSpec>): Float32Array {
  const { inFeatures } = on.layer;
  const n = on.spec.frequencies;
  const V = new Float32Array(inFeatures * 2 * n);
  placesOf(on).forEach((place, j) => {
    for (let q = 0; q < inFeatures; q++) {
      const at = angle(place % inFeatures, q, inFeatures);
      V[q * 2 * n + j] = Math.cos(at);
      V[q * 2 * n + n + j] = -Math.sin(at);
    }
  });
  return V;
}

/** U (2n, out): cos and sin along the outputs. */
function outputWaves(on: OnLayer<FourierftSpec>): Float32Array {
  const { inFeatures, outFeatures } = on.layer;
  const n = on.spec.frequencies;
  const U = new Float32Array(2 * n * outFeatures);
  placesOf(on).forEach((place, j) => {
    for (let p = 0; p < outFeatures; p++) {
      const at = angle(Math.floor(place / inFeatures), p, outFeatures);
      U[j * outFeatures + p] = Math.cos(at);
      U[(n + j) * outFeatures + p] = Math.sin(at);
    }
  });
  return U;
}

/** Phase of a wave at a position, modulo the period to keep the angle accurate. */
const angle = (frequency: number, position: number, period: number): number =>
  (2 * Math.PI * ((frequency * position) % period)) / period;

const placesOf = ({ layer, spec }: OnLayer<FourierftSpec>): number[] =>
  chosenPlaces(layer.inFeatures * layer.outFeatures, spec.frequencies, spec.locationSeed);

/** The first n of a permutation of 0 … size−1. */
function chosenPlaces(size: number, n: number, seed: number): number[] {
  const places = permuted(size, seed, Stream.locations);
  return Array.from({ length: n }, () => places.next().value!);
}
