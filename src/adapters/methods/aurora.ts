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
import { basisCount } from './spline';

const scaleOf = ({ alpha, rank }: AuroraSpec): number => alpha / rank;

/**
 * AuroRA (Dong et al., arXiv 2505.18738): h = W0 x + s · B σ(A x) during training ("dynamic"); merged as ΔW = s · B
 * σ(Aᵀ)ᵀ, σ applied to A column by column ("static"). The two are not equal: σ is not linear.
 *
 * With `centerInputs` the adapter reads x without the mean of its features, x − mean(x), in both forms (not in the
 * paper). To first order σ(A) = σ(0)1ᵀ + J A. A centered input sums to zero, which removes the part σ(0)1ᵀx from the
 * merged product; the dynamic form does not have this part.
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
        dims: [rank, basisCount(spec)],
        rankAxes: [0],
        peftName: 'aurora_anl.spline_weight',
        init: spec.splineInitialization === 'zero' ? zeros : uniform(0.1),
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
    const center = (a: string) => (spec.centerInputs ? centeredRows(g, a) : a);
    const down = g.op('Transpose', [center(p.A)]);
    const z = g.op('MatMul', [x, down]);
    // If the scale is an input, the rank is that of the inputs.
    const rank = p.scale === undefined ? spec.rank : undefined;
    const own = (of: string) => anlNodes(g, of, p.H, p.W, spec, dtype, rank);
    const sigma = (of: string) => (p.gate === undefined ? own(of) : withLine(g, own(of), of, p));
    const seen =
      form === 'dynamic'
        ? sigma(z)
        : g.op('MatMul', [x, g.op('Transpose', [center(g.op('Transpose', [sigma(down)]))])]);
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
    const { rank, fixed, learnable } = spec;
    const sigma = (fixed ? rank * rank : 0) + (learnable ? rank * basisCount(spec) : 0);
    return productFlops(rank * (inFeatures + outFeatures) + sigma);
  },
  formula({ fixed, learnable, gridSize, splineOrder }) {
    const spline = `r(${gridSize} + ${splineOrder})`;
    return ['r(in + out)', fixed && 'r²', learnable && spline].filter((p) => p !== false).join(' + ');
  },

  peft: {
    type: 'AURORA',
    loader: true,
    alphaKey: 'aurora_alpha',
    write: (spec, form) => ({
      activation: spec.activation,
      aurora_alpha: spec.alpha,
      aurora_dropout: spec.dropout,
      center_inputs: spec.centerInputs ?? false,
      fixed: spec.fixed,
      form,
      grid_range: spec.gridRange,
      grid_size: spec.gridSize,
      init_weights: spec.initialization,
      learnable: spec.learnable,
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
        centerInputs: c.flag('center_inputs', false),
        dropout: c.number('aurora_dropout', 0),
        initialization: initializationOf(c.value('init_weights')),
      };
    },
  },
};

/** The factor (r, in) that the adapter multiplies its input by: A, or A for a centered input. */
export const inputFactor = ({ A }: Values, spec: AuroraSpec): Float32Array | Float64Array =>
  spec.centerInputs ? withoutRowMeans(Float64Array.from(A), A.length / spec.rank) : A;

/** σ on the columns of A: the A of the LoRA that the static form is equivalent to. */
function staticA(values: Values, { inFeatures }: LayerShape, spec: AuroraSpec): Float32Array {
  const { rank } = spec;
  const center = (a: Float64Array) => (spec.centerInputs ? withoutRowMeans(a, inFeatures) : a);
  const A = center(Float64Array.from(values.A));
  const out = new Float64Array(rank * inFeatures);
  const column = new Float64Array(rank);
  for (let i = 0; i < inFeatures; i++) {
    for (let r = 0; r < rank; r++) column[r] = A[r * inFeatures + i];
    anl(column, values.H, values.W, spec).forEach((v, r) => (out[r * inFeatures + i] = v));
  }
  return Float32Array.from(center(out));
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

/** Centering the input is the same as centering the rows of its factor: A(x − mean(x)1) = (A − rowmean(A)1ᵀ)x. */
const centeredRows = (g: GraphBuilder, a: string): string =>
  g.op('Sub', [a, g.op('ReduceMean', [a, g.ints([1])], { keepdims: 1 })]);

function withoutRowMeans(a: Float64Array, columns: number): Float64Array {
  const out = Float64Array.from(a);
  for (let from = 0; from < out.length; from += columns) {
    const row = out.subarray(from, from + columns);
    const mean = row.reduce((sum, v) => sum + v, 0) / columns;
    row.forEach((v, i) => (row[i] = v - mean));
  }
  return out;
}

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
  centerInputs: false,
  dropout: 0,
  initialization: 'kaiming-uniform',
  splineInitialization: 'uniform',
};
