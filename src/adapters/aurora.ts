import type { AuroraSpec } from '../shared/experiment';
import { anl, anlNodes } from './anl';
import {
  kaimingUniform,
  lowRankProduct,
  normal,
  uniform,
  zeros,
  type AdapterMethod,
  type AdapterTensor,
} from './method';
import { basisCount } from './spline';

/**
 * AuroRA (Dong et al., arXiv 2505.18738): h = W0 x + s · B σ(A x) while training ("dynamic");
 * merged as ΔW = s · B σ(Aᵀ)ᵀ, σ acting on A column by column ("static"). The two are not equal: σ is not linear.
 */
export const aurora: AdapterMethod<AuroraSpec> = {
  tensors({ inFeatures, outFeatures }, spec) {
    const { rank } = spec;
    const tensors: AdapterTensor[] = [
      {
        name: 'A',
        dims: [rank, inFeatures],
        peftName: 'aurora_A.weight',
        init:
          spec.initialization === 'gaussian' ? normal(1 / Math.sqrt(inFeatures)) : kaimingUniform(inFeatures),
      },
    ];
    // Xavier-normal of an (r, r) matrix: √(2/(r+r)).
    if (spec.fixed)
      tensors.push({
        name: 'H',
        dims: [rank, rank],
        peftName: 'aurora_anl.base_weight',
        init: normal(1 / Math.sqrt(rank)),
      });
    if (spec.learnable)
      tensors.push({
        name: 'W',
        dims: [rank, basisCount(spec)],
        peftName: 'aurora_anl.spline_weight',
        init: uniform(0.1),
      });
    tensors.push({ name: 'B', dims: [outFeatures, rank], peftName: 'aurora_B.weight', init: zeros });
    return tensors;
  },

  delta(g, x, p, spec, dtype) {
    const z = g.op('MatMul', [x, g.op('Transpose', [p.A])]);
    const sigma = anlNodes(g, z, p.H, p.W, spec, dtype);
    const up = g.op('Mul', [g.op('Transpose', [p.B]), g.scalar(this.scale(spec), dtype)]);
    return { delta: g.op('MatMul', [sigma, up]), z };
  },

  merge(values, layer, spec) {
    return lowRankProduct(values.B, this.staticA(values, layer, spec), layer, spec.rank, this.scale(spec));
  },

  staticA(values, { inFeatures }, spec) {
    const { rank } = spec;
    const out = new Float32Array(rank * inFeatures);
    const column = new Float64Array(rank);
    for (let i = 0; i < inFeatures; i++) {
      for (let r = 0; r < rank; r++) column[r] = values.A[r * inFeatures + i];
      anl(column, values.H, values.W, spec).forEach((v, r) => (out[r * inFeatures + i] = v));
    }
    return out;
  },

  scale: ({ alpha, rank }) => alpha / rank,
};
