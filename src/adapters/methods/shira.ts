import { AuroraError } from '../../base/errors';
import { permuted, Stream } from '../../base/random';
import type { ShiraSpec } from '../../experiment/methods';
import { DType } from '../../graph/dtype';
import { type AdapterMethod, type LayerShape, zeros } from './method';

/**
 * SHiRA (Bhardwaj et al., "Sparse High Rank Adapters", arXiv 2406.13175) with the random mask: ΔW[iⱼ, kⱼ] = vⱼ at
 * r(in + out) places, as many as LoRA of rank r has parameters. As in tuners/shira of PEFT, whose scale is 1, layers of one size have the same
 * places. They come from our own random numbers and are stored with the adapter.
 *
 * ΔW is built in each step: for more than a few tokens, one product with it takes less memory than a number for each
 * token and place.
 */
export const shira: AdapterMethod<ShiraSpec> = {
  tensors({ layer, spec: { rank, randomSeed } }) {
    const count = placeCount(layer, rank);
    requirePlaces(layer, rank);
    return [
      { name: 'v', dims: [count], rankAxes: [], peftName: 'shira_weight', init: zeros },
      {
        name: 'places',
        dims: [2, count],
        frozen: true,
        rankAxes: [],
        peftName: 'shira_indices',
        integers: 'I32',
        init: () => placesOf(layer, count, randomSeed),
      },
    ];
  },

  delta(g, { x }, p, { layer: { inFeatures, outFeatures } }, dtype) {
    // Transposed, (in, out), as it multiplies.
    const places = g.op('Cast', [p.places], { to: DType.int64 });
    const strides = g.constant(DType.int64, [2, 1], [1, outFeatures]);
    const flat = g.op('ReduceSum', [g.op('Mul', [places, strides]), g.ints([0])], { keepdims: 0 });
    const none = g.op('Expand', [g.scalar(0, dtype), g.ints([inFeatures * outFeatures])]);
    const weight = g.op('ScatterElements', [none, flat, p.v], { axis: 0 });
    return { delta: g.op('MatMul', [x, g.op('Reshape', [weight, g.ints([inFeatures, outFeatures])])]) };
  },

  change({ v, places }, { layer: { inFeatures, outFeatures } }) {
    const weight = new Float32Array(outFeatures * inFeatures);
    v.forEach((value, j) => (weight[places[j] * inFeatures + places[v.length + j]] += value));
    return { weight };
  },
  neutral: (values) => ({ ...values, v: new Float32Array(values.v.length) }),
  sizeLimit: (layers) => Math.min(...layers.map(largestRank)),
  stated: ['randomSeed'],
  flops: ({ layer: { inFeatures, outFeatures }, spec: { rank } }) => {
    const product = 2 * inFeatures * outFeatures;
    return { forward: product, backward: 2 * product, step: placeCount({ inFeatures, outFeatures }, rank) };
  },
  formula: () => 'r(in + out)',

  peft: {
    type: 'SHIRA',
    loads: { since: '0.17', linearOnly: true },
    lacks: ['bias', 'rank_pattern'],
    write: ({ randomSeed }) => ({
      fan_in_fan_out: false,
      init_weights: true,
      mask_type: 'random',
      random_seed: randomSeed,
    }),
    read: (c) => ({ method: 'shira', rank: c.number('r'), randomSeed: c.number('random_seed', 0) }),
  },
};

const placeCount = ({ inFeatures, outFeatures }: LayerShape, rank: number): number =>
  rank * (inFeatures + outFeatures);

const largestRank = ({ inFeatures, outFeatures }: LayerShape): number =>
  Math.floor((inFeatures * outFeatures) / (inFeatures + outFeatures));

/** Rows, then columns of the places, in row-major order. */
function placesOf({ inFeatures, outFeatures }: LayerShape, count: number, seed: number): Float32Array {
  const order = permuted(inFeatures * outFeatures, seed, Stream.locations);
  const places = Array.from({ length: count }, () => order.next().value!).sort((a, b) => a - b);
  const rows = places.map((at) => Math.floor(at / inFeatures));
  return Float32Array.from([...rows, ...places.map((at) => at % inFeatures)]);
}

function requirePlaces(layer: LayerShape, rank: number): void {
  const { inFeatures, outFeatures } = layer;
  if (rank <= largestRank(layer)) return;
  throw new AuroraError(
    'rank',
    `adapter.rank ${rank} is too large for SHiRA on a layer of ${outFeatures} × ${inFeatures}: its ${placeCount(layer, rank)} entries are more than the weight has.`,
    `Choose a rank of at most ${largestRank(layer)}, or leave the layer out with adapter.excludeModules.`,
  );
}
