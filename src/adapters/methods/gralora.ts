import { AuroraError } from '../../base/errors';
import type { GraloraSpec } from '../../experiment/methods';
import { downProjection, lowRankProduct, productFlops } from './low-rank';
import {
  type AdapterMethod,
  kaimingUniform,
  type LayerShape,
  type OnLayer,
  type Values,
  zeros,
} from './method';

const scaleOf = ({ alpha, rank, hybridR }: GraloraSpec): number => alpha / (rank + hybridR);

/**
 * GraLoRA (Jung et al., arXiv 2505.20355): the weight as k × k blocks, each with a LoRA of rank r/k. Output block p and
 * input block q have
 *
 *   ΔW[p, q] = s · (A[q]⟨p⟩ B[p]⟨q⟩)ᵀ,   s = alpha / (r + hybridR),
 *
 * where A[q] (in/k, r) takes input block q, B[p] (r, out/k) gives output block p, and ⟨j⟩ are the columns of A, or the rows
 * of B, from j · r/k on. With hybridR, a LoRA of that rank on the whole weight is added under the same scale. As in
 * tuners/gralora/layer.py of PEFT.
 */
export const gralora: AdapterMethod<GraloraSpec> = {
  tensors({ layer, spec }) {
    requireDivisible(layer, spec);
    const { rank, graloraK: k, hybridR } = spec;
    const { inFeatures, outFeatures } = layer;
    const pair = [
      {
        name: 'A',
        dims: [k, inFeatures / k, rank],
        rankAxes: [],
        peftName: 'gralora_A',
        init: kaimingUniform(inFeatures / k),
      },
      { name: 'B', dims: [k, rank, outFeatures / k], rankAxes: [], peftName: 'gralora_B', init: zeros },
    ];
    if (hybridR === 0) return pair;
    return [
      ...pair,
      {
        name: 'hybridA',
        dims: [hybridR, inFeatures],
        rankAxes: [],
        peftName: 'gralora_A_general.weight',
        init: kaimingUniform(inFeatures),
      },
      {
        name: 'hybridB',
        dims: [outFeatures, hybridR],
        rankAxes: [],
        peftName: 'gralora_B_general.weight',
        init: zeros,
      },
    ];
  },

  delta(g, { x }, p, { layer, spec }, dtype) {
    const { rank, graloraK: k, hybridR } = spec;
    const { inFeatures, outFeatures } = layer;
    const scale = p.scale ?? g.scalar(scaleOf(spec), dtype);
    // Blocks first, so that each is one product over all tokens.
    const blocks = g.op('Reshape', [x, g.ints([-1, k, inFeatures / k])]);
    const down = g.op('MatMul', [g.op('Transpose', [blocks], { perm: [1, 0, 2] }), p.A]);
    const parts = g.op('Reshape', [down, g.ints([k, -1, k, rank / k])]);
    const exchanged = g.op('Transpose', [parts], { perm: [2, 1, 0, 3] });
    const rows = g.op('Reshape', [exchanged, g.ints([k, -1, rank])]);
    const up = g.op('MatMul', [rows, g.op('Mul', [p.B, scale])]);
    const shape = g.op('Concat', [g.op('Shape', [x], { end: -1 }), g.ints([outFeatures])], { axis: 0 });
    const delta = g.op('Reshape', [g.op('Transpose', [up], { perm: [1, 0, 2] }), shape]);
    if (hybridR === 0) return { delta };
    const z = downProjection(g, x, { A: p.hybridA });
    const B = g.op('Mul', [g.op('Transpose', [p.hybridB]), scale]);
    return { delta: g.op('Add', [delta, g.op('MatMul', [z, B])]) };
  },

  change: (values, on) => ({ weight: changeOf(values, on) }),
  scale: scaleOf,
  neutral: (values) => ({
    ...values,
    B: new Float32Array(values.B.length),
    ...(values.hybridB && { hybridB: new Float32Array(values.hybridB.length) }),
  }),
  // As in PEFT.
  sizeLimit: () => Infinity,
  sizes(layers, { graloraK: k }) {
    const smallest = Math.min(...layers.flatMap((l) => [l.inFeatures, l.outFeatures]));
    return Array.from({ length: Math.max(1, Math.floor(smallest / k)) }, (_, i) => (i + 1) * k);
  },
  stated: ['graloraK', 'hybridR'],
  flops: ({ layer: { inFeatures, outFeatures }, spec: { rank, hybridR } }) =>
    productFlops((rank + hybridR) * (inFeatures + outFeatures)),
  formula: ({ hybridR }) => (hybridR > 0 ? '(r + hybridR)(in + out)' : 'r(in + out)'),

  peft: {
    type: 'GRALORA',
    loads: { since: '0.19' },
    lacks: ['rank_pattern', 'alpha_pattern'],
    parts: ['gralora_A_general.weight', 'gralora_B_general.weight'],
    write: (spec) => ({
      alpha: spec.alpha,
      fan_in_fan_out: false,
      gralora_dropout: spec.dropout,
      gralora_k: spec.graloraK,
      hybrid_r: spec.hybridR,
      init_weights: true,
      layers_pattern: null,
      layers_to_transform: null,
    }),
    read: (c) => ({
      method: 'gralora',
      rank: c.number('r'),
      alpha: c.number('alpha', 64),
      graloraK: c.number('gralora_k', 2),
      hybridR: c.number('hybrid_r', 0),
      dropout: c.number('gralora_dropout', 0),
    }),
  },
};

/** ΔW (out, in). */
function changeOf({ A, B, hybridA, hybridB }: Values, { layer, spec }: OnLayer<GraloraSpec>): Float32Array {
  const { rank, graloraK: k, hybridR } = spec;
  const { inFeatures, outFeatures } = layer;
  const [width, height, part] = [inFeatures / k, outFeatures / k, rank / k];
  const scale = scaleOf(spec);
  const hybrid = hybridR > 0 ? lowRankProduct(hybridB, hybridA, layer, scale) : undefined;
  const out = new Float32Array(outFeatures * inFeatures);
  for (let o = 0; o < outFeatures; o++)
    for (let i = 0; i < inFeatures; i++) {
      const [p, q] = [Math.floor(o / height), Math.floor(i / width)];
      let sum = 0;
      for (let t = 0; t < part; t++)
        sum += A[i * rank + p * part + t] * B[(p * rank + q * part + t) * height + (o % height)];
      const at = o * inFeatures + i;
      out[at] = scale * sum + (hybrid ? hybrid[at] : 0);
    }
  return out;
}

function requireDivisible({ inFeatures, outFeatures }: LayerShape, { rank, graloraK: k }: GraloraSpec): void {
  if (rank % k !== 0)
    throw new AuroraError(
      'rank',
      `adapter.rank ${rank} is not a multiple of adapter.graloraK ${k}.`,
      `Choose a rank that ${k} divides, or another adapter.graloraK.`,
    );
  if (inFeatures % k !== 0 || outFeatures % k !== 0)
    throw new AuroraError(
      'rank',
      `adapter.graloraK ${k} does not divide the sizes of a layer of ${outFeatures} × ${inFeatures}.`,
      'Choose a number that divides both, or leave the layer out with adapter.excludeModules.',
    );
}
