import type { HiraSpec } from '../../experiment/methods';
import { lowRankProduct, lowRankTensors, withoutB } from './low-rank';
import { type AdapterMethod, initializationOf } from './method';

/**
 * HiRA (Huang et al., "HiRA: Parameter-Efficient Hadamard High-Rank Adaptation for Large Language Models", ICLR 2025):
 * ΔW = W ⊙ (B A), the elementwise product with the frozen weight, whose rank is not limited to r. No scale. As in
 * tuners/hira/layer.py of PEFT.
 *
 * W ⊙ (B A) x = Σᵣ Bᵣ ⊙ W (Aᵣ ⊙ x) needs no ΔW, but r products with the whole weight for each token. Here ΔW is built in
 * every step, so that a token costs one more product, whatever the rank; it takes as much memory as the weight.
 */
export const hira: AdapterMethod<HiraSpec> = {
  tensors: ({ layer, spec }) =>
    lowRankTensors(layer, spec).map((t) => ({ ...t, peftName: `hira_${t.name}` })),

  delta(g, call, p) {
    const change = g.op('Mul', [g.op('MatMul', [p.B, p.A]), call.weight()]);
    return { delta: g.op('MatMul', [call.x, g.op('Transpose', [change])]) };
  },

  change({ A, B }, { layer }, base) {
    const W = base.weight();
    return { weight: lowRankProduct(B, A, layer, 1).map((v, i) => v * W[i]) };
  },
  neutral: withoutB,
  // As in PEFT; ranks above the layer's sizes only cost more.
  sizeLimit: () => Infinity,
  flops({ layer: { inFeatures, outFeatures }, spec: { rank } }) {
    const weight = inFeatures * outFeatures;
    return { forward: 2 * weight, backward: 4 * weight, step: (6 * rank + 2) * weight };
  },
  formula: () => 'r(in + out)',

  peft: {
    type: 'HIRA',
    loads: { since: '0.20' },
    lacks: ['bias'],
    write: (spec) => ({
      fan_in_fan_out: false,
      hira_dropout: spec.dropout,
      init_weights: spec.initialization === 'gaussian' ? 'gaussian' : true,
      layers_pattern: null,
      layers_to_transform: null,
    }),
    read: (c) => ({
      method: 'hira',
      rank: c.number('r'),
      dropout: c.number('hira_dropout', 0),
      initialization: initializationOf(c.value('init_weights')),
    }),
  },
};
