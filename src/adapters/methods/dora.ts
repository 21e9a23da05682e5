import type { GraphBuilder } from '../../graph/builder';
import { type DoraSpec, splitsWeight } from '../../experiment/methods';
import { scaledConfig, scaledSettings } from './lora';
import {
  lowRankDelta,
  lowRankFlops,
  lowRankProduct,
  lowRankTensors,
  scaleOf,
  wholePair,
  withoutChange,
} from './low-rank';
import type { AdapterMethod, LayerCall } from './method';

/**
 * DoRA (Liu et al., arXiv 2402.09353): W = m · V/‖V‖ with V = W0 + s · B A, the norm of each row, and a trained m
 * (out). With an initialization that splits the weight, V = W0 + s · (B A − B0 A0). The norm is treated as a constant in the backward pass (its section 4.3), as in PEFT.
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
    const { delta: up, z } = lowRankDelta(g, call.x, p, scaleOf(spec), dtype);
    const norm = g.op('Sqrt', [squaredNorm(g, call, wholeIn(g, p), scaleOf(spec), dtype)]);
    const ratio = g.op('Div', [p.m, norm]);
    const without = g.op('Sub', [ratio, g.scalar(1, dtype)]);
    const delta = g.op('Add', [g.op('Mul', [call.product(), without]), g.op('Mul', [up, ratio])]);
    return { delta, z, stop: [norm] };
  },
  showsZ: true,

  change(values, { layer, spec }, base) {
    const { m } = values;
    const W0 = base.weight();
    const { A, B } = wholePair(values, layer);
    const V = Float64Array.from(lowRankProduct(B, A, layer, scaleOf(spec)), (v, i) => v + W0[i]);
    const norms = squaredRowNorms(V, layer.outFeatures).map(Math.sqrt);
    const row = (i: number) => Math.floor(i / layer.inFeatures);
    return { weight: V.map((v, i) => (m[row(i)] / norms[row(i)]) * v - W0[i]) };
  },
  scale: scaleOf,
  neutral: (values, { layer }, base) => ({
    ...withoutChange(values),
    m: Float32Array.from(squaredRowNorms(base.weight(), layer.outFeatures), Math.sqrt),
  }),
  flops({ layer, spec }) {
    const { inFeatures, outFeatures } = layer;
    const { forward, backward } = lowRankFlops(layer, spec);
    const rank = (splitsWeight(spec) ? 2 : 1) * spec.rank;
    return {
      forward: forward + 3 * outFeatures,
      backward: backward + 6 * outFeatures,
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

/** The names with both factors of B A − B0 A0 as those of one product. */
function wholeIn(g: GraphBuilder, p: Record<string, string>): Record<string, string> {
  if (!p.A0) return p;
  const A = g.op('Concat', [p.A, p.A0], { axis: 0 });
  return { ...p, A, B: g.op('Concat', [p.B, g.op('Neg', [p.B0])], { axis: 1 }) };
}

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
