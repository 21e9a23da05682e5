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
 * As in tuners/c3a of PEFT, which convolves by Fourier transforms. Its backward pass (utils.py) gives the input the gradient
 * Σ g[a] kernel[a + c] instead of Σ g[a] kernel[c − a], so below the last adapted layer its gradients are not the derivatives
 * of its loss. `inputGradient: 'peft'` does the same, so that an imported adapter is trained on as in PEFT; 'exact' is the
 * derivative.
 *
 * Here ΔW is built in each step, which takes the memory of
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
    /** x times a matrix (in, out) of blocks. */
    const times = (of: string, blocks: string) => {
      const rows = g.op('Transpose', [blocks], { perm: [1, 3, 0, 2] });
      return g.op('MatMul', [of, g.op('Reshape', [rows, g.ints([inFeatures, outFeatures])])]);
    };
    const counts = [outFeatures / spec.blockSize, inFeatures / spec.blockSize];
    const blocks = circulant(g, scaled, counts, spec.blockSize);
    if (spec.inputGradient === 'exact') return { delta: times(x, blocks) };
    const fixed = (tensor: string) => g.op('Identity', [tensor]);
    const [input, kernel] = [fixed(x), fixed(scaled)];
    // Adds zero, with the gradient of the input.
    const other = times(x, mirrored(g, kernel, counts, spec.blockSize));
    const same = fixed(other);
    const delta = g.op('Add', [times(input, blocks), g.op('Sub', [other, same])]);
    return { delta, stop: [input, kernel, same] };
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
  stated: ['inputGradient'],
  flops({ layer: { inFeatures, outFeatures }, spec: { inputGradient } }) {
    const product = 2 * inFeatures * outFeatures;
    const products = inputGradient === 'exact' ? 1 : 2;
    return { forward: products * product, backward: 2 * product, step: product };
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
      inputGradient: 'peft',
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
function circulant(g: GraphBuilder, kernel: string, counts: readonly number[], b: number): string {
  if (b === 1) return g.op('Reshape', [kernel, g.ints([...counts, 1, 1])]);
  const line = cut(g, copies(g, kernel, counts, b, b), 2, 0, b * b - 1);
  const rows = g.op('Reshape', [line, g.ints([...counts, b + 1, b - 1])]);
  const last = cut(g, cut(g, rows, 2, 1, b + 1), 3, 0, 1);
  return g.op('Concat', [cut(g, rows, 2, 0, b), last], { axis: 3 });
}

/** The matrices of kernel[(a + c) mod b] in that form: row a is the kernel moved left by a, and starts at a·(b + 1). */
function mirrored(g: GraphBuilder, kernel: string, counts: readonly number[], b: number): string {
  const line = copies(g, kernel, counts, b, b + 1);
  return cut(g, g.op('Reshape', [line, g.ints([...counts, b, b + 1])]), 3, 0, b);
}

/** (out/b, in/b, times · b) */
function copies(
  g: GraphBuilder,
  kernel: string,
  counts: readonly number[],
  b: number,
  times: number,
): string {
  const once = g.op('Reshape', [kernel, g.ints([...counts, 1, b])]);
  const all = g.op('Expand', [once, g.ints([...counts, times, b])]);
  return g.op('Reshape', [all, g.ints([...counts, times * b])]);
}

const cut = (g: GraphBuilder, x: string, axis: number, from: number, to: number): string =>
  g.op('Slice', [x, g.ints([from]), g.ints([to]), g.ints([axis])]);

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
