import { storedTensors, tensorName } from '../../../src/adapters/stored-tensors';
import { describe, expect, it } from 'vitest';
import { injectAdapters } from '../../../src/adapters/inject';
import { layerChange, mergeAdapters, ownValues } from '../../../src/adapters/merge';
import { layerValues } from '../../../src/adapters/methods/layer-values';
import { lowRankProduct } from '../../../src/adapters/methods/low-rank';
import { adapterScale, methodOf } from '../../../src/adapters/methods/registry';
import type { LayerAdapter } from '../../../src/adapters/targets/select';
import type { Parameters } from '../../../src/engine/stepper';
import { aboutMethod, LAYER_METHODS } from '../../../src/experiment/methods';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import { elementCount, type Model } from '../../../src/graph/model';
import { tensorOf } from '../../../src/graph/values';
import { frozenNames, perturbed } from '../../../src/training/task/initialize';
import { generator } from '../autodiff/check';
import { host, runModel } from '../graph/onnx-models';
import { nbitsLayer } from '../graph/quantized/nbits-layer';
import { type Adapted, adapted, FORMS, layerModel, wave, waves } from './one-layer';
import { SETTINGS } from './settings';

it('every method that adapts a layer has settings here, except Lily, which changes no weight', () => {
  const tested = new Set(SETTINGS.map(([method]) => method));
  expect(LAYER_METHODS.filter((m) => !tested.has(m))).toEqual(['lily']);
});

/** The layer with the adapter beside it, which reads its scale from a tensor if it is given. */
function withAdapter({ base, adapters }: Adapted, values: Parameters, scale?: number): Model {
  const names = (adapter: LayerAdapter) => ({
    ...Object.fromEntries(adapter.tensors.map((t) => [t.name, tensorName(adapter, t.name)])),
    ...(scale !== undefined && { scale: 'scale' }),
  });
  const { graph } = injectAdapters(base.graph, adapters, DType.float, { names });
  const g = new GraphBuilder(graph, '/values');
  for (const { name, tensor } of storedTensors(adapters))
    g.addInitializer(tensorOf(name, DType.float, tensor.dims, values.get(name)!));
  if (scale !== undefined) g.addInitializer(tensorOf('scale', DType.float, [], [scale]));
  return { ...base, graph: g.graph };
}

const farthest = (a: Float32Array, b: Float32Array): number =>
  Math.max(...a.map((v, i) => Math.abs(v - b[i])));

describe.each(SETTINGS)('%s %o', (method, over, sizes) => {
  const forms = aboutMethod(method).onlyBiases ? FORMS.filter((f) => f.endsWith('bias')) : FORMS;
  const cases = sizes.flatMap((size) => forms.map((form) => [...size, form] as const));
  it.each(cases)('from %i to %i computes in a %s what it merges', async (inFeatures, outFeatures, form) => {
    await checkMerged(
      adapted(layerModel(inFeatures, outFeatures, form), method, over),
      form.startsWith('Gemm') ? [3, inFeatures] : [2, 3, inFeatures],
    );
  });

  it.each(sizes)(
    'from %i to %i computes on a weight in four bits what it merges',
    async (inFeatures, outFeatures) => {
      const options = { bits: 4, blockSize: 16, zeros: 'packed', flat: false, bias: true, rank: 3 } as const;
      const { model } = nbitsLayer({ ...options, inFeatures, outFeatures }, generator(4));
      const of = adapted(model, method, { ...over, targetModules: ['query'] });
      await checkMerged(of, [2, 3, inFeatures]);
    },
  );
});

/** Compares the layer with the adapter beside it, with its scale as a tensor too, and with the merged layer. */
async function checkMerged(of: Adapted, dims: number[]): Promise<void> {
  const { base, adapter, adapters } = of;
  const values = perturbed(waves(of), 3, frozenNames(adapters));
  const feeds = { x: host(dims, [...wave(elementCount(dims), 9)]) };
  const y = async (of: Model) => (await runModel(of, feeds)).y.data as Float32Array;
  const [plain, unmerged] = [await y(base), await y(withAdapter(of, values))];
  const merged = await y(mergeAdapters(base, adapters, values));
  const largest = Math.max(...merged.map(Math.abs));
  expect(farthest(merged, unmerged)).toBeLessThan(3e-6 * largest);
  expect(farthest(merged, plain)).toBeGreaterThan(1e-3 * largest);
  if (!methodOf(adapter.spec).scale) return;
  const scaled = await y(withAdapter(of, values, adapterScale(adapter.spec)));
  expect(farthest(merged, scaled)).toBeLessThan(3e-6 * largest);
}

it.each(SETTINGS.filter(([method]) => methodOf({ method }).lowRank))(
  '%s %o is a product of low rank, times its scale',
  (method, over, sizes) => {
    for (const size of sizes) {
      const of = adapted(layerModel(...size), method, over);
      const values = waves(of);
      const { spec, layer } = of.adapter;
      const own = ownValues(of.adapter, values);
      const { A, B } = methodOf(spec).lowRank!(own, of.adapter, layerValues(layer));
      const product = lowRankProduct(B, A, layer, adapterScale(spec));
      const { weight } = layerChange(of.adapter, values);
      const largest = Math.max(...product.map(Math.abs));
      product.forEach((v, i) => expect(Math.abs(v - weight![i])).toBeLessThan(2e-6 * largest));
    }
  },
);
