import type { GraphBuilder } from '../../graph/builder';
import type { DoraSpec } from '../../experiment/methods';
import { scaledConfig, scaledSettings } from './lora';
import { downProjection, lowRankProduct, lowRankTensors, scaleOf, upProjection, withoutB } from './low-rank';
import type { AdapterMethod, LayerCall } from './method';

/**
 * DoRA (Liu et al., arXiv 2402.09353): W = m · V/‖V‖ with V = W0 + s · B A, the norm of each row, and a trained m
 * (out). The norm is treated as a constant in the backward pass (its section 4.3), as in PEFT.
 *
 * Here h = W x + bias as a change of h0 = W0 x + bias: (m/‖V‖ − 1) · W0 x + (m/‖V‖) · s · B A x.
 */
export const dora: AdapterMethod<DoraSpec> = {
  tensors: ({ layer, spec }) => [
    ...lowRankTensors(layer, spec),
    {
      name: 'm',
      dims: [layer.outFeatures],
      rankAxes: [],
      peftName: 'lora_magnitude_vector',
      init: (_, size, base) => Float32Array.from(squaredRowNorms(base.weight(), size), Math.sqrt),
    },
  ],

  frozen: ({ layer: { outFeatures } }) => [
    {
      name: 'norms',
      dims: [outFeatures],
      values: (base) => Float32Array.from(squaredRowNorms(base.weight(), outFeatures)),
    },
  ],

  delta(g, call, p, { spec }, dtype) {
    const z = downProjection(g, call.x, p);
    const up = upProjection(g, z, p, scaleOf(spec), dtype);
    const norm = g.op('Sqrt', [squaredNorm(g, call, p, scaleOf(spec), dtype)]);
    const ratio = g.op('Div', [p.m, norm]);
    const without = g.op('Sub', [ratio, g.scalar(1, dtype)]);
    const delta = g.op('Add', [g.op('Mul', [call.product(), without]), g.op('Mul', [up, ratio])]);
    return { delta, z, stop: [norm] };
  },
  showsZ: true,

  change({ A, B, m }, { layer, spec }, base) {
    const W0 = base.weight();
    const V = Float64Array.from(lowRankProduct(B, A, layer, scaleOf(spec)), (v, i) => v + W0[i]);
    const norms = squaredRowNorms(V, layer.outFeatures).map(Math.sqrt);
    const row = (i: number) => Math.floor(i / layer.inFeatures);
    return { weight: V.map((v, i) => (m[row(i)] / norms[row(i)]) * v - W0[i]) };
  },
  scale: scaleOf,
  neutral: (values, { layer }, base) => ({
    ...withoutB(values),
    m: Float32Array.from(squaredRowNorms(base.weight(), layer.outFeatures), Math.sqrt),
  }),
  flops({ layer: { inFeatures, outFeatures }, spec: { rank } }) {
    const pair = rank * (inFeatures + outFeatures);
    return {
      forward: 2 * pair + 3 * outFeatures,
      backward: 4 * pair + 6 * outFeatures,
      step: 2 * rank * inFeatures * outFeatures,
    };
  },
  formula: () => 'r(in + out) + out',

  peft: {
    type: 'LORA',
    loads: { since: '0.9' },
    flag: 'use_dora',
    alphaKey: 'lora_alpha',
    write: (spec) => ({ ...scaledConfig(spec), use_dora: true }),
    read: (c) => ({ ...scaledSettings(c), method: 'dora' }),
  },
};

/** ‖W0 + s B A‖² of each row, without building the sum: ‖W0‖² + 2s · B·(W0 Aᵀ) + s² · B·(A Aᵀ)·Bᵀ. */
function squaredNorm(
  g: GraphBuilder,
  { weightTimes, alpha }: LayerCall,
  p: Record<string, string>,
  scale: number,
  dtype: number,
): string {
  const At = g.op('Transpose', [p.A]);
  const scaled = g.op('Mul', [p.B, p.scale ?? g.scalar(scale, dtype)]);
  const product = weightTimes(p.A, At);
  const within = g.op('MatMul', [scaled, g.op('MatMul', [p.A, At])]);
  const both = g.op('Add', [g.op('Mul', [product, g.scalar(2 * alpha, dtype)]), within]);
  const added = g.op('ReduceSum', [g.op('Mul', [both, scaled]), g.ints([1])], { keepdims: 0 });
  return g.op('Add', [p.norms, added]);
}

function squaredRowNorms(weight: ArrayLike<number>, outFeatures: number): Float64Array {
  const inFeatures = weight.length / outFeatures;
  const out = new Float64Array(outFeatures);
  for (let i = 0; i < weight.length; i++) out[Math.floor(i / inFeatures)] += weight[i] * weight[i];
  return out;
}
