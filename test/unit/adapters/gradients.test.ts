import { describe, expect, it } from 'vitest';
import { injectAdapters, storedTensors } from '../../../src/adapters/inject';
import { adalora } from '../../../src/adapters/methods/adalora';
import { layerValues } from '../../../src/adapters/methods/layer-values';
import { type AdaloraSpec, LAYER_METHODS, type MethodName } from '../../../src/experiment/methods';
import { DType } from '../../../src/graph/dtype';
import { tensorOf } from '../../../src/graph/values';
import { elementCount } from '../../../src/graph/model';
import { defaultAdapter } from '../../../src/recipes/draft';
import { checkGradients } from '../autodiff/check';
import type { Problem } from '../autodiff/problem';
import { onLayer } from '../specs';
import { adapted, type Form, layerModel } from './one-layer';
import { SETTINGS } from './settings';

/**
 * An adapted layer in float64, trained by its input and by the adapter's tensors, with the gradients that a step has: they stop
 * where the method says so. Frozen tensors have their initial values.
 */
function problemOf(method: MethodName, over: object, size: readonly [number, number], form: Form): Problem {
  const base = layerModel(...size, form, DType.double);
  const { adapters, adapter } = adapted(base, method, over);
  const stored = storedTensors(adapters);
  const none = { uniform: () => 0.7, normal: () => 0.4 };
  const problem: Problem = {
    inputs: {
      x: { shape: form.startsWith('Gemm') ? [3, size[0]] : [2, 3, size[0]] },
      ...Object.fromEntries(
        stored.flatMap(({ name, tensor }) => (tensor.frozen ? [] : [[name, { shape: tensor.dims }]])),
      ),
    },
    build(g) {
      const { graph, stop } = injectAdapters(base.graph, adapters, DType.double);
      problem.stop = stop;
      g.graph.nodes.push(...graph.nodes);
      for (const tensor of graph.initializers.values()) g.addInitializer(tensor);
      for (const { name, tensor } of stored)
        if (tensor.frozen) {
          const values = tensor.init(none, elementCount(tensor.dims), layerValues(adapter.layer));
          g.addInitializer(tensorOf(name, DType.double, tensor.dims, values));
        }
      return ['y'];
    },
    open: [],
  };
  return problem;
}

/** Settings whose gradients are not the derivatives of the loss, as the methods' papers or PEFT define them. */
const isOther = (method: MethodName, over: { inputGradient?: string; eps?: number }): boolean =>
  method === 'dora' || over.inputGradient === 'peft' || (over.eps !== undefined && over.eps < 10);

const EXACT = [
  ...SETTINGS.filter(([method, over]) => !isOther(method, over)),
  ['lily', { rank: 3, numB: 2, scaling: 0.7 }, [[7, 5]]] as const,
  ['lily', { rank: 2, numB: 3, strideA: 2 }, [[5, 12]]] as const,
];

it('every method that adapts a layer is here, except DoRA', () => {
  const tested = new Set(EXACT.map(([method]) => method));
  expect(LAYER_METHODS.filter((m) => !tested.has(m))).toEqual(['dora']);
});

describe.each(EXACT)('%s %o', (method, over, sizes) => {
  it.each(sizes)('from %i to %i has the gradients of finite differences', async (...size) => {
    const form = size[0] > size[1] ? 'Gemm with bias' : 'MatMul with bias';
    await checkGradients(problemOf(method, over, size, form), 5);
  });
});

it.each(SETTINGS.filter(([, over]) => 'inputGradient' in over))(
  '%s %o has the derivatives by its kernel',
  async (method, over, sizes) => {
    for (const size of sizes) {
      const problem = problemOf(method, over, size, 'MatMul');
      problem.inputs.x.frozen = true;
      await checkGradients(problem, 7);
    }
  },
);

it.each([1, 3])(
  "AdaLoRA's penalty of two layers of rank %i has the gradients of finite differences",
  async (rank) => {
    const all = [
      [7, 5],
      [4, 6],
    ].map(([inFeatures, outFeatures], k) => ({
      on: onLayer(
        { ...defaultAdapter('adalora'), rank, targetModules: [] } as AdaloraSpec,
        inFeatures,
        outFeatures,
      ),
      names: { A: `${k}.A`, B: `${k}.B`, E: `${k}.E` },
    }));
    const inputs = all.flatMap(({ on, names }) =>
      adalora.tensors(on).map((t) => [names[t.name as 'A'], { shape: t.dims }] as const),
    );
    await checkGradients(
      {
        inputs: Object.fromEntries(inputs.filter(([name]) => !name.endsWith('E'))),
        build: (g) => [adalora.penalty!(g, all, DType.double)!],
        open: [],
      },
      8,
    );
  },
);
