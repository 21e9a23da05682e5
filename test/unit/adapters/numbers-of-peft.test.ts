import { storedTensors } from '../../../src/adapters/stored-tensors';
import { describe, expect, it } from 'vitest';
import { injectAdapters } from '../../../src/adapters/inject';
import { layerChange } from '../../../src/adapters/merge';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import { elementCount } from '../../../src/graph/model';
import { tensorOf } from '../../../src/graph/values';
import { host, runModel } from '../graph/onnx-models';
import { BY_PEFT } from './numbers-of-peft';
import { type Adapted, adapted, layerModel, wave, waves } from './one-layer';

/** The values that PEFT had, with those that it drew at random. */
function valuesOf(of: Adapted): Map<string, Float32Array> {
  const values = waves(of);
  const { layer, spec } = of.adapter;
  const { inFeatures, outFeatures } = layer;
  storedTensors(of.adapters).forEach(({ name, tensor }, k) => {
    const size = elementCount(tensor.dims);
    if (spec.method === 'randlora') values.set(name, wave(size, k + 1));
    if (spec.method !== 'shira' || !tensor.frozen) return;
    const places = Array.from({ length: size / 2 }, (_, j) => (7 * j) % (inFeatures * outFeatures));
    const at = [...places.map((p) => Math.floor(p / inFeatures)), ...places.map((p) => p % inFeatures)];
    values.set(name, Float32Array.from(at));
  });
  return values;
}

describe('settings besides those of the reference cases', () => {
  it.each(BY_PEFT)(
    'give the change of PEFT: %s %o %o',
    async (method, [inFeatures, outFeatures], over, first, norm) => {
      const base = layerModel(inFeatures, outFeatures);
      const of = adapted(base, method, over);
      const values = valuesOf(of);
      const near = (v: number, wanted: number) => expect(Math.abs(v - wanted)).toBeLessThan(2e-6 * norm);
      // Lily changes no weight.
      if (method !== 'lily') {
        const weight = Array.from(layerChange(of.adapter, values).weight!);
        first.forEach((wanted, i) => near(weight[i], wanted));
        near(Math.hypot(...weight), norm);
      }
      // The graph, on the identity.
      const { graph } = injectAdapters(base.graph, of.adapters, DType.float);
      const g = new GraphBuilder(graph, '/values');
      for (const { name, tensor } of storedTensors(of.adapters))
        g.addInitializer(tensorOf(name, DType.float, tensor.dims, values.get(name)!));
      const identity = Array.from({ length: inFeatures ** 2 }, (_, i) =>
        i % (inFeatures + 1) === 0 ? 1 : 0,
      );
      const feeds = { x: host([1, inFeatures, inFeatures], identity) };
      const [plain, changed] = [
        await runModel(base, feeds),
        await runModel({ ...base, graph: g.graph }, feeds),
      ];
      const delta = Array.from(
        changed.y.data as Float32Array,
        (v, i) => v - (plain.y.data as Float32Array)[i],
      );
      first.forEach((wanted, i) => near(delta[i * outFeatures], wanted));
      near(Math.hypot(...delta), norm);
    },
  );
});
