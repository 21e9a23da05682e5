import { describe, expect, it } from 'vitest';
import { adalora } from '../../../src/adapters/methods/adalora';
import { type AdaloraSpec, LAYER_METHODS, type MethodName } from '../../../src/experiment/methods';
import { DType } from '../../../src/graph/dtype';
import { defaultAdapter } from '../../../src/recipes/draft';
import { checkGradients } from '../autodiff/check';
import { onLayer } from '../specs';
import { EXACT, layerProblem } from './layer-problem';
import { SETTINGS } from './settings';

it('every method that adapts a layer has gradients that are checked whole, except DoRA', () => {
  const tested = new Set(EXACT.map(([method]) => method));
  expect(LAYER_METHODS.filter((m) => !tested.has(m))).toEqual(['dora']);
});

describe.each(EXACT)('%s %o', (method, over, sizes) => {
  it.each(sizes)('from %i to %i has the gradients of finite differences', async (...size) => {
    const form = size[0] > size[1] ? 'Gemm with bias' : 'MatMul with bias';
    await checkGradients(layerProblem(method, over, size, form), 5);
  });
});

/** No derivatives are the gradients of C³A's input with PEFT's, and those of DoRA's A and B, for which norms are constants. */
function othersOf(method: MethodName, over: object): string[] {
  if (method === 'dora') return ['dense.A', 'dense.B'];
  return 'inputGradient' in over ? ['x'] : [];
}

it.each(SETTINGS.filter(([method, over]) => othersOf(method, over).length > 0))(
  '%s %o has the gradients of finite differences, but for some',
  async (method, over, sizes) => {
    for (const size of sizes) {
      const problem = layerProblem(method, over, size, 'MatMul');
      for (const name of othersOf(method, over)) problem.inputs[name].frozen = true;
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
