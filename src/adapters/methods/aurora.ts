import type { AuroraSpec } from '../../experiment/methods';
import type { GraphBuilder } from '../../graph/builder';
import { anl, anlNodes } from './anl';
import { lowRankProduct, productFlops, upProjection, withoutB } from './low-rank';
import {
  type AdapterMethod,
  type AdapterTensor,
  constant,
  initializationOf,
  kaimingUniform,
  type LayerShape,
  normal,
  uniform,
  type Values,
  zeros,
} from './method';
import { basisCount, splineDims } from './spline';

const scaleOf = ({ alpha, rank }: AuroraSpec): number => alpha / rank;

/**
 * AuroRA (Dong et al., arXiv 2505.18738): h = W0 x + s · B σ(A x) during training ("dynamic"); merged as ΔW = s · B
 * σ(Aᵀ)ᵀ, σ applied to A column by column ("static"). The two are not equal: σ is not linear.
 *
 * The paper's σ(z) = tanh(H tanh(z)) + w · s(z) leaves the splines of L open. Ours is the default, r(G+k) weights shared by
 * all coordinates of z; `spline` names the other readings in use: r(G+k), one spline for each dimension, and r²(G+k), one for
 * each pair of output and input. The paper's total of 197K for RoBERTa-Large excludes only the last, 198,336.
 */
export const aurora: AdapterMethod<AuroraSpec> = {
  tensors({ layer: { inFeatures, outFeatures }, spec }) {
    const { rank } = spec;
    const tensors: AdapterTensor[] = [
      {
        name: 'A',
        dims: [rank, inFeatures],
        rankAxes: [0],
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
        rankAxes: [0, 1],
        peftName: 'aurora_anl.base_weight',
        init: normal(1 / Math.sqrt(rank)),
      });
    if (spec.learnable)
      tensors.push({
        name: 'W',
        dims: splineDims(spec, rank),
        rankAxes: spec.spline === 'per-pair' ? [0, 1] : [0],
        peftName: 'aurora_anl.spline_weight',
        init: uniform(0.1),
      });
    tensors.push({
      name: 'B',
      dims: [outFeatures, rank],
      rankAxes: [1],
      peftName: 'aurora_B.weight',
      init: zeros,
    });
    return tensors;
  },

  delta(g, { x }, p, { spec }, dtype, form) {
    const down = g.op('Transpose', [p.A]);
    const z = g.op('MatMul', [x, down]);
    // If the scale is an input, the rank is that of the inputs.
    const rank = p.scale === undefined ? spec.rank : undefined;
    const own = (of: string) => anlNodes(g, of, p.H, p.W, spec, dtype, rank);
    const sigma = (of: string) => (p.gate === undefined ? own(of) : withLine(g, own(of), of, p));
    const seen = form === 'dynamic' ? sigma(z) : g.op('MatMul', [x, sigma(down)]);
    return { delta: upProjection(g, seen, p, scaleOf(spec), dtype), z };
  },
  showsZ: true,

  change: (values, { layer, spec }) => ({
    weight: lowRankProduct(values.B, staticA(values, layer, spec), layer, scaleOf(spec)),
  }),
  lowRank: (values, { layer, spec }) => ({ A: staticA(values, layer, spec), B: values.B }),
  scale: scaleOf,
  neutral: withoutB,
  stated: ['gridSize', 'splineOrder', 'gridRange', 'activation', 'fixed', 'learnable'],
  flops({ layer: { inFeatures, outFeatures }, spec }) {
    const { rank, fixed, learnable, spline } = spec;
    const splines = spline === 'per-pair' ? rank * rank : rank;
    const sigma = (fixed ? rank * rank : 0) + (learnable ? splines * basisCount(spec) : 0);
    return productFlops(rank * (inFeatures + outFeatures) + sigma);
  },
  formula({ fixed, learnable, gridSize, splineOrder, spline }) {
    const weights = `${spline === 'per-pair' ? 'r²' : 'r'}(${gridSize} + ${splineOrder})`;
    return ['r(in + out)', fixed && 'r²', learnable && weights].filter((p) => p !== false).join(' + ');
  },

  peft: {
    type: 'AURORA',
    loader: true,
    alphaKey: 'aurora_alpha',
    write: (spec, form) => ({
      activation: spec.activation,
      aurora_alpha: spec.alpha,
      aurora_dropout: spec.dropout,
      fixed: spec.fixed,
      form,
      grid_range: spec.gridRange,
      grid_size: spec.gridSize,
      init_weights: spec.initialization,
      learnable: spec.learnable,
      spline: spec.spline,
      spline_order: spec.splineOrder,
    }),
    read: (c) => {
      const d = AURORA_DEFAULTS;
      return {
        ...d,
        rank: c.number('r'),
        alpha: c.number('aurora_alpha'),
        gridSize: c.number('grid_size', d.gridSize),
        splineOrder: c.number('spline_order', d.splineOrder),
        gridRange: (c.value('grid_range') as [number, number] | undefined) ?? d.gridRange,
        activation: (c.value('activation') as AuroraSpec['activation'] | undefined) ?? d.activation,
        fixed: c.flag('fixed', true),
        learnable: c.flag('learnable', true),
        spline: (c.value('spline') as AuroraSpec['spline'] | undefined) ?? d.spline,
        dropout: c.number('aurora_dropout', 0),
        initialization: initializationOf(c.value('init_weights')),
      };
    },
  },
};

/** σ on the columns of A: the A of the LoRA that the static form is equivalent to. */
function staticA(values: Values, { inFeatures }: LayerShape, spec: AuroraSpec): Float32Array {
  const { rank } = spec;
  const out = new Float32Array(rank * inFeatures);
  const column = new Float64Array(rank);
  for (let i = 0; i < inFeatures; i++) {
    for (let r = 0; r < rank; r++) column[r] = values.A[r * inFeatures + i];
    anl(column, values.H, values.W, spec).forEach((v, r) => (out[r * inFeatures + i] = v));
  }
  return out;
}

/**
 * Tensors of an adapter whose σ can be replaced by a line while a session is open: gate · σ(z) + M z + c, in the dynamic
 * form. With a gate of 1 and zeros, it is σ; with a gate of 0, only the line.
 */
export function lineTensors({ rank }: AuroraSpec): AdapterTensor[] {
  const tensor = (name: string, dims: number[]): AdapterTensor => ({
    name,
    dims,
    rankAxes: dims.map((_, axis) => axis),
    peftName: `aurora_line.${name}`,
    init: name === 'gate' ? constant(1) : zeros,
  });
  return [tensor('gate', []), tensor('M', [rank, rank]), tensor('c', [rank])];
}

const withLine = (g: GraphBuilder, sigma: string, z: string, p: Record<string, string>): string => {
  const line = g.op('Add', [g.op('MatMul', [z, g.op('Transpose', [p.M])]), p.c]);
  return g.op('Add', [g.op('Mul', [sigma, p.gate]), line]);
};

/** AuroRA as trained in the paper, and an experiment's default (the schema's defaults). */
export const AURORA_DEFAULTS: Omit<AuroraSpec, 'targetModules'> = {
  method: 'aurora',
  rank: 2,
  alpha: 4,
  gridSize: 5,
  splineOrder: 3,
  gridRange: [-1, 1],
  activation: 'tanh',
  fixed: true,
  learnable: true,
  spline: 'shared',
  dropout: 0,
  initialization: 'kaiming-uniform',
};
