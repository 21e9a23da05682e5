import { AuroraError } from '../../base/errors';
import type { LilySpec } from '../../experiment/methods';
import { downProjection, productFlops, withoutB } from './low-rank';
import { type AdapterMethod, kaimingUniform, zeros } from './method';

/**
 * Lily (Zhong et al., "Low-Rank Interconnected Adaptation across Layers", arXiv 2407.09946): with z = A x,
 *
 *   h = W₀ x + s · zᵀ Σₑ pₑ Bₑ,   p = the mean over all tokens of softmax(R z),
 *
 * with numB matrices Bₑ (r, out), which layers with the same last name and sizes share, an A (r, in) for each strideA
 * neighbours among them, and a router R (numB, r) for each layer. As in tuners/lily/layer.py of PEFT: the mean is over all
 * rows that are computed together, with their padding, so that a row's output depends on its batch, and no change of the
 * weight does the same.
 *
 * PEFT shares among the modules that one entry of target_modules matches; here the last part of the path decides, which
 * is the same for entries such as "query".
 */
export const lily: AdapterMethod<LilySpec> = {
  tensors: ({ layer: { inFeatures, outFeatures }, spec: { rank, numB } }) => [
    {
      name: 'A',
      dims: [rank, inFeatures],
      rankAxes: [0],
      peftName: 'lily_A.weight',
      init: kaimingUniform(inFeatures),
    },
    { name: 'B', dims: [numB * rank, outFeatures], rankAxes: [], peftName: 'lily_B.weight', init: zeros },
    {
      name: 'router',
      dims: [numB, rank],
      rankAxes: [],
      peftName: 'lily_router.weight',
      init: kaimingUniform(rank),
    },
  ],

  shared({ layer: { inFeatures, outFeatures, path = '' }, spec: { strideA } }, nth) {
    const alike = `${path.slice(path.lastIndexOf('.') + 1)} ${outFeatures}x${inFeatures}`;
    return { A: `${alike} ${Math.floor(nth / strideA)}`, B: alike };
  },

  delta(g, { x }, p, { layer: { outFeatures }, spec: { rank, numB, scaling } }, dtype) {
    const z = downProjection(g, x, p);
    const logits = g.op('MatMul', [z, g.op('Transpose', [p.router])]);
    const each = g.op('Reshape', [g.op('Softmax', [logits], { axis: -1 }), g.ints([-1, numB])]);
    const mean = g.op('ReduceMean', [each, g.ints([0])], { keepdims: 1 });
    const shares = g.op('Mul', [mean, g.scalar(scaling, dtype)]);
    const flat = g.op('MatMul', [shares, g.op('Reshape', [p.B, g.ints([numB, rank * outFeatures])])]);
    return { delta: g.op('MatMul', [z, g.op('Reshape', [flat, g.ints([rank, outFeatures])])]), z };
  },
  showsZ: true,

  change() {
    throw new AuroraError(
      'usage',
      'Lily cannot be merged into the weights: its matrices are mixed for each batch, by a router that reads the input.',
      'Export with --as adapter, which PEFT loads, or with --as onnx-dynamic.',
    );
  },
  neutral: withoutB,
  // As in PEFT.
  sizeLimit: () => Infinity,
  stated: ['scaling', 'strideA', 'numB'],
  flops({ layer: { inFeatures, outFeatures }, spec: { rank, numB } }) {
    const { forward, backward } = productFlops(rank * (inFeatures + outFeatures + numB));
    // The mixture of the matrices B.
    const step = 6 * numB * rank * outFeatures;
    return { forward: forward + 4 * numB, backward: backward + 4 * numB, step };
  },
  formula: ({ strideA }) =>
    `r · numB + (r · in)${strideA > 1 ? ' / strideA' : ''}, and r · numB · out once for all layers of a name`,

  peft: {
    type: 'LILY',
    loads: { since: '0.19', linearOnly: true },
    lacks: ['bias', 'rank_pattern'],
    write: ({ scaling, strideA, numB }) => ({
      exclude_modules: null,
      init_weights: true,
      layers_pattern: null,
      layers_to_transform: null,
      num_B: numB,
      scaling,
      stride_A: strideA,
    }),
    read: (c) => ({
      method: 'lily',
      rank: c.number('r'),
      scaling: c.number('scaling', 1),
      strideA: c.number('stride_A', 1),
      numB: c.number('num_B', 2),
    }),
  },
};
