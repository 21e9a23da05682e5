import type { MosloraSpec } from '../../experiment/methods';
import { scaledConfig, scaledSettings } from './lora';
import {
  downProjection,
  lowRankProduct,
  lowRankTensors,
  productFlops,
  scaleOf,
  upProjection,
  withoutB,
} from './low-rank';
import { kaimingUniform, type AdapterMethod, type LayerShape } from './method';

/** MoSLoRA (Wu et al., arXiv 2406.11909): h = W0 x + s · B M A x with a trained mixer M (r, r). */
export const moslora: AdapterMethod<MosloraSpec> = {
  tensors({ layer, spec }) {
    const { rank } = spec;
    const mixer = { name: 'M', dims: [rank, rank], rankAxes: [0, 1], peftName: 'lora_mixer.weight' };
    return [...lowRankTensors(layer, spec), { ...mixer, init: kaimingUniform(rank) }];
  },

  delta(g, { x }, p, { spec }, dtype) {
    const z = downProjection(g, x, p);
    const mixed = g.op('MatMul', [z, g.op('Transpose', [p.M])]);
    return { delta: upProjection(g, mixed, p, scaleOf(spec), dtype), z };
  },
  showsZ: true,

  change: ({ A, B, M }, { layer, spec }) => ({
    weight: lowRankProduct(B, mixed(M, A, layer), layer, scaleOf(spec)),
  }),
  lowRank: ({ A, B, M }, { layer }) => ({ A: mixed(M, A, layer), B }),
  scale: scaleOf,
  neutral: withoutB,
  flops: ({ layer: { inFeatures, outFeatures }, spec: { rank } }) =>
    productFlops(rank * (inFeatures + outFeatures) + rank * rank),
  formula: () => 'r(in + out) + r²',

  peft: {
    type: 'MOSLORA',
    alphaKey: 'lora_alpha',
    write: scaledConfig,
    read: (c) => ({ ...scaledSettings(c), method: 'moslora' }),
  },
};

/** M·A: this makes MoSLoRA a LoRA. */
const mixed = (M: Float32Array, A: Float32Array, { inFeatures }: LayerShape): Float32Array =>
  lowRankProduct(M, A, { inFeatures, outFeatures: Math.sqrt(M.length) }, 1);
