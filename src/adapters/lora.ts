import type { LoraSpec } from '../shared/experiment';
import { kaimingUniform, normal, upProjection, zeros, type AdapterMethod } from './method';

/** LoRA (Hu et al., arXiv 2106.09685): h = W0 x + s · B A x, s = α/r, or α/√r (rsLoRA, arXiv 2312.03732). */
export const lora: AdapterMethod<LoraSpec> = {
  tensors: ({ inFeatures, outFeatures }, { rank, initialization }) => [
    {
      name: 'A',
      dims: [rank, inFeatures],
      rankAxes: [0],
      peftName: 'lora_A.weight',
      // PEFT's "gaussian" has standard deviation 1/r.
      init: initialization === 'gaussian' ? normal(1 / rank) : kaimingUniform(inFeatures),
    },
    { name: 'B', dims: [outFeatures, rank], rankAxes: [1], peftName: 'lora_B.weight', init: zeros },
  ],

  delta(g, x, p, spec, dtype) {
    const z = g.op('MatMul', [x, g.op('Transpose', [p.A])]);
    return { delta: upProjection(g, z, p, this.scale(spec), dtype), z };
  },

  staticA: (values) => values.A,

  scale: ({ alpha, rank, useRslora }) => alpha / (useRslora ? Math.sqrt(rank) : rank),
};
