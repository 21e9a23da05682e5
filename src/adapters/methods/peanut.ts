import type { PeanutSpec } from '../../experiment/methods';
import { lowRankProduct, upProjection, withoutB } from './low-rank';
import {
  type AdapterMethod,
  type AdapterTensor,
  kaimingUniform,
  type OnLayer,
  type Values,
  zeros,
} from './method';
import { activationOf } from './peanut-activations';

/**
 * PEANuT (Zhong et al., "PEANuT: Parameter-Efficient Adaptation with Weight-aware Neural Tweakers", arXiv 2410.01870):
 * the change is a small network of the frozen weight W (out, in). With the activation f, A (r, out) and B (out, r),
 *
 *   H = f(A W), then for each encoder E (r, r): H = f(E H), and for each decoder D (r, r): H = f(D H) + the H that
 *   entered the encoder opposite to it (the last first); ΔW = scaling · B H.
 *
 * It is linear in the input, so it merges exactly. As in tuners/peanut/layer.py of PEFT: `depth` encoders and as many
 * decoders, and a `scaling` that is not divided by the rank. The step that builds H (r, in) reads W once; W is not copied.
 */
export const peanut: AdapterMethod<PeanutSpec> = {
  tensors({ layer: { outFeatures }, spec: { rank, depth } }) {
    const hidden = (name: 'E' | 'D', part: string): AdapterTensor[] =>
      Array.from({ length: depth }, (_, i) => ({
        name: `${name}${i}`,
        dims: [rank, rank],
        rankAxes: [0, 1],
        peftName: `peanut_${part}.${i}.weight`,
        init: kaimingUniform(rank),
      }));
    return [
      {
        name: 'A',
        dims: [rank, outFeatures],
        rankAxes: [0],
        peftName: 'peanut_A.weight',
        init: kaimingUniform(outFeatures),
      },
      { name: 'B', dims: [outFeatures, rank], rankAxes: [1], peftName: 'peanut_B.weight', init: zeros },
      ...hidden('E', 'encoders'),
      ...hidden('D', 'decoders'),
    ];
  },

  delta(g, call, p, { spec }, dtype) {
    const { node } = activationOf(spec.actFn);
    const through = (weight: string, x: string) => node(g, g.op('MatMul', [weight, x]), dtype);
    const entered = [through(p.A, call.weight())];
    for (let i = 0; i < spec.depth; i++) entered.push(through(p[`E${i}`], entered[i]));
    let H = entered.pop()!;
    for (let i = 0; i < spec.depth; i++) H = g.op('Add', [through(p[`D${i}`], H), entered.pop()!]);
    const z = g.op('MatMul', [call.x, g.op('Transpose', [H])]);
    return { delta: upProjection(g, z, p, spec.scaling, dtype), z };
  },
  showsZ: true,

  change(values, on, base) {
    const H = hiddenOf(values, on, base.weight());
    return { weight: lowRankProduct(values.B, H, on.layer, on.spec.scaling) };
  },
  lowRank: (values, on, base) => ({ A: hiddenOf(values, on, base.weight()), B: values.B }),
  scale: ({ scaling }) => scaling,
  neutral: withoutB,
  // As in PEFT: the rank is the width of a network.
  sizeLimit: () => Infinity,
  stated: ['depth', 'actFn'],
  flops({ layer: { inFeatures, outFeatures }, spec: { rank, depth } }) {
    const products = rank * (inFeatures + outFeatures);
    // A W has no gradient for W; the hidden products have one for both factors.
    const step = 4 * rank * outFeatures * inFeatures + 12 * depth * rank * rank * inFeatures;
    return { forward: 2 * products, backward: 4 * products, step };
  },
  formula: ({ depth }) => (depth === 0 ? '2r · out' : `2r · out + ${2 * depth}r²`),

  peft: {
    type: 'PEANUT',
    loads: { since: '0.19', linearOnly: true },
    lacks: ['bias', 'rank_pattern'],
    parts: ['peanut_encoders.*.weight', 'peanut_decoders.*.weight'],
    write: ({ actFn, depth, scaling }) => ({
      act_fn: actFn,
      depth,
      init_weights: true,
      layers_pattern: null,
      layers_to_transform: null,
      scaling,
    }),
    read: (c) => ({
      method: 'peanut',
      rank: c.number('r'),
      depth: c.number('depth', 0),
      actFn: (c.value('act_fn') as PeanutSpec['actFn'] | undefined) ?? 'relu',
      scaling: c.number('scaling', 1),
    }),
  },
};

/** H (r, in), in float64 between its layers. */
function hiddenOf(values: Values, { layer, spec }: OnLayer<PeanutSpec>, weight: Float32Array): Float32Array {
  const { value } = activationOf(spec.actFn);
  const { inFeatures } = layer;
  const through = (w: Float32Array, x: ArrayLike<number>): Float64Array => {
    const inner = x.length / inFeatures;
    const rows = w.length / inner;
    const out = new Float64Array(rows * inFeatures);
    for (let r = 0; r < rows; r++)
      for (let k = 0; k < inner; k++) {
        const factor = w[r * inner + k];
        for (let i = 0; i < inFeatures; i++) out[r * inFeatures + i] += factor * x[k * inFeatures + i];
      }
    return out.map(value);
  };
  const entered = [through(values.A, weight)];
  for (let i = 0; i < spec.depth; i++) entered.push(through(values[`E${i}`], entered[i]));
  let H = entered.pop()!;
  for (let i = 0; i < spec.depth; i++) {
    const kept = entered.pop()!;
    H = through(values[`D${i}`], H).map((v, j) => v + kept[j]);
  }
  return Float32Array.from(H);
}
