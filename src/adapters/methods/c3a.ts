import { AuroraError } from '../../base/errors';
import type { C3aSpec } from '../../experiment/methods';
import type { GraphBuilder } from '../../graph/builder';
import { type AdapterMethod, type AdapterTensor, type LayerShape, normal, uniform, zeros } from './method';

/**
 * C³A (Chen et al., "Parameter-Efficient Fine-Tuning via Circular Convolution", arXiv 2407.19342): the weight as blocks of
 * b × b, each a circular convolution with a trained kernel of b numbers. Output block p and input block q have
 *
 *   ΔW[p, q][a, c] = kernel[p, q, (c − a) mod b] / in.
 *
 * As in tuners/c3a of PEFT, which convolves by Fourier transforms. Here ΔW is built in each step, which takes the memory of
 * the weight: a step computes it once, however many tokens there are, with operators that all engines have.
 */
export const c3a: AdapterMethod<C3aSpec> = {
  tensors({ layer, spec }) {
    requireDivisible(layer, spec);
    const { inFeatures, outFeatures } = layer;
    const { blockSize: b } = spec;
    const dims = [outFeatures / b, inFeatures / b, b];
    return [{ name: 'kernel', dims, rankAxes: [], peftName: 'c3a_kernel', init: initOf(layer, spec) }];
  },

  delta(g, { x }, p, { layer: { inFeatures, outFeatures }, spec }, dtype) {
    const scaled = g.op('Mul', [p.kernel, g.scalar(1 / inFeatures, dtype)]);
    const blocks = circulant(g, scaled, [outFeatures, inFeatures], spec.blockSize);
    const rows = g.op('Transpose', [blocks], { perm: [1, 3, 0, 2] });
    return { delta: g.op('MatMul', [x, g.op('Reshape', [rows, g.ints([inFeatures, outFeatures])])]) };
  },

  change({ kernel }, { layer: { inFeatures, outFeatures }, spec: { blockSize: b } }) {
    const columns = inFeatures / b;
    const weight = new Float32Array(outFeatures * inFeatures);
    for (let o = 0; o < outFeatures; o++)
      for (let i = 0; i < inFeatures; i++) {
        const block = Math.floor(o / b) * columns + Math.floor(i / b);
        weight[o * inFeatures + i] = kernel[block * b + ((i - o + outFeatures) % b)] / inFeatures;
      }
    return { weight };
  },
  neutral: ({ kernel }) => ({ kernel: new Float32Array(kernel.length) }),
  sizeLimit: (layers) => Math.max(...divisors(layers)),
  sizes: divisors,
  flops: ({ layer: { inFeatures, outFeatures } }) => {
    const product = 2 * inFeatures * outFeatures;
    return { forward: product, backward: 2 * product, step: product };
  },
  formula: () => 'in · out / b',

  peft: {
    type: 'C3A',
    loads: { since: '0.16', linearOnly: true },
    lacks: ['r'],
    write: ({ blockSize, initWeights }) => ({
      block_size: blockSize,
      block_size_pattern: {},
      init_weights: initWeights === 'zeros' ? true : initWeights,
      layers_pattern: null,
      layers_to_transform: null,
    }),
    read: (c) => ({
      method: 'c3a',
      blockSize: c.number('block_size', 256),
      initWeights: readInit(c.value('init_weights')),
    }),
  },
};

/** PEFT's `true` is zeros, and its `false` the default. */
const readInit = (value: unknown): C3aSpec['initWeights'] =>
  value === true
    ? 'zeros'
    : value === false || value === undefined
      ? 'xavier_uniform'
      : (value as C3aSpec['initWeights']);

/** The distributions of PEFT, over the sizes of the whole layer. */
function initOf({ inFeatures, outFeatures }: LayerShape, { initWeights }: C3aSpec): AdapterTensor['init'] {
  switch (initWeights) {
    case 'xavier_uniform':
      return uniform(Math.sqrt(6 / (inFeatures + outFeatures)));
    case 'kaiming_uniform':
      return uniform(1 / Math.sqrt(inFeatures));
    case 'gaussian':
      return normal(1);
    case 'zeros':
      return zeros;
  }
}

/**
 * The circulant matrices of kernels (out/b, in/b, b), as (out/b, in/b, b, b): row a of a block is the kernel moved right
 * by a. In a line of copies of the kernel, row a starts at a·(b − 1); so rows of b − 1 numbers are the matrix without its
 * last column, which is the first column of the next row.
 */
function circulant(g: GraphBuilder, kernel: string, [out, inputs]: [number, number], b: number): string {
  const blocks = [out / b, inputs / b];
  if (b === 1) return g.op('Reshape', [kernel, g.ints([...blocks, 1, 1])]);
  const copies = g.op('Expand', [
    g.op('Reshape', [kernel, g.ints([...blocks, 1, b])]),
    g.ints([...blocks, b, b]),
  ]);
  const cut = (x: string, axis: number, from: number, to: number) =>
    g.op('Slice', [x, g.ints([from]), g.ints([to]), g.ints([axis])]);
  const line = cut(g.op('Reshape', [copies, g.ints([...blocks, b * b])]), 2, 0, b * b - 1);
  const rows = g.op('Reshape', [line, g.ints([...blocks, b + 1, b - 1])]);
  const last = cut(cut(rows, 2, 1, b + 1), 3, 0, 1);
  return g.op('Concat', [cut(rows, 2, 0, b), last], { axis: 3 });
}

/** The numbers that divide both sizes of all layers. */
function divisors(layers: readonly LayerShape[]): number[] {
  const sizes = layers.flatMap((l) => [l.inFeatures, l.outFeatures]);
  const all = Array.from({ length: Math.min(...sizes) }, (_, i) => i + 1);
  return all.filter((b) => sizes.every((size) => size % b === 0));
}

function requireDivisible(layer: LayerShape, { blockSize: b }: C3aSpec): void {
  const { inFeatures, outFeatures } = layer;
  if (inFeatures % b === 0 && outFeatures % b === 0) return;
  throw new AuroraError(
    'rank',
    `adapter.blockSize ${b} does not divide the sizes of a layer of ${outFeatures} × ${inFeatures}.`,
    `Choose a block size that divides both, at most ${Math.max(...divisors([layer]))}, or leave the layer out with adapter.excludeModules.`,
  );
}
