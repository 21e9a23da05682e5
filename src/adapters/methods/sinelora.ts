import type { SineloraSpec } from '../../experiment/methods';
import { lowRankProduct, lowRankTensors, withoutB } from './low-rank';
import { type AdapterMethod, type OnLayer, initializationOf } from './method';

/**
 * SineLoRA (Ji et al., "Efficient Learning with Sine-Activated Low-Rank Matrices", arXiv 2403.19243): ΔW = sin(ω · B A)
 * / γ, the elementwise sine, which makes ΔW high-rank. The paper uses γ = √n, with n the rows of W. ΔW has to be built
 * in every step, which costs as much memory as the weight itself.
 */
export const sinelora: AdapterMethod<SineloraSpec> = {
  tensors: ({ layer, spec }) => lowRankTensors(layer, spec),

  delta(g, { x }, p, on, dtype) {
    const up = g.op('Mul', [g.op('Transpose', [p.B]), g.scalar(on.spec.frequency, dtype)]);
    const turned = g.op('Sin', [g.op('MatMul', [g.op('Transpose', [p.A]), up])]);
    return { delta: g.op('MatMul', [x, g.op('Mul', [turned, g.scalar(1 / gammaOf(on), dtype)])]) };
  },

  change({ A, B }, on) {
    const product = lowRankProduct(B, A, on.layer, on.spec.frequency);
    const gamma = gammaOf(on);
    return { weight: product.map((v) => Math.sin(v) / gamma) };
  },
  neutral: withoutB,
  stated: ['frequency'],
  flops({ layer: { inFeatures, outFeatures }, spec: { rank } }) {
    const weight = inFeatures * outFeatures;
    return { forward: 2 * weight, backward: 4 * weight, step: 6 * rank * weight };
  },
  formula: () => 'r(in + out)',

  peft: {
    type: 'SINELORA',
    write: (spec) => ({
      frequency: spec.frequency,
      gamma: spec.gamma ?? null,
      init_lora_weights: spec.initialization === 'gaussian' ? 'gaussian' : true,
      lora_dropout: spec.dropout,
    }),
    read(c) {
      const gamma = c.value('gamma') ?? undefined;
      return {
        method: 'sinelora',
        rank: c.number('r'),
        frequency: c.number('frequency'),
        gamma: gamma === undefined ? undefined : c.number('gamma'),
        dropout: c.number('lora_dropout', 0),
        initialization: initializationOf(c.value('init_lora_weights')),
      };
    },
  },
};

const gammaOf = ({ layer, spec }: OnLayer<SineloraSpec>): number =>
  spec.gamma ?? Math.sqrt(layer.outFeatures);
