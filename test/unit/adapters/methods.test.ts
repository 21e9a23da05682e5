import { parameterCount, tensorName } from '../../../src/adapters/stored-tensors';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { frozenNames, initialAdapters } from '../../../src/training/task/initialize';
import { layerChange, ownValues } from '../../../src/adapters/merge';
import { layerValues } from '../../../src/adapters/methods/layer-values';
import { LORA_BIAS } from '../../../src/adapters/methods/lora';
import { methodOf } from '../../../src/adapters/methods/registry';
import { selectAdapters, selectLayers } from '../../../src/adapters/targets/select';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import { loadModel } from '../../../src/graph/file/load';
import { LAYER_METHODS, type MethodName, type TrainedSpec } from '../../../src/experiment/methods';
import { defaultAdapter } from '../../../src/recipes/draft';

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/reference/${name}`, import.meta.url));
const { graph } = loadModel(fixture('bert.onnx'));
const layers = findLinearLayers(graph);

/** The schema's defaults, on the most commonly chosen layers. */
const specOf = (method: MethodName, over: Partial<TrainedSpec> = {}) =>
  ({ ...defaultAdapter(method), targetModules: ['query', 'inter'], ...over }) as TrainedSpec;

describe('parameter counts on RoBERTa-Base (q and v) match the papers', () => {
  const stack = Array.from({ length: 24 }, (_, i) => ({
    path: `layer.${i}.query`,
    inFeatures: 768,
    outFeatures: 768,
    hasBias: true,
  }));
  it.each<[MethodName, object, number]>([
    ['lora', { rank: 8 }, 294_912],
    ['lora', { rank: 8, loraBias: true }, 294_912 + 24 * 768],
    ['moslora', { rank: 8 }, 294_912 + 24 * 64],
    ['dora', { rank: 8 }, 294_912 + 24 * 768],
    ['sinelora', { rank: 8 }, 294_912],
    ['vera', { rank: 1024 }, 43_008],
    ['fourierft', { frequencies: 1000 }, 24_000],
    ['adalora', { rank: 12 }, 24 * (12 * 2 * 768 + 12)],
    ['lorafa', { rank: 8 }, 24 * 8 * 768],
    ['bitfit', {}, 24 * 768],
    ['full', {}, 24 * 768 * 768],
  ])('%s %o: %i', (method, over, expected) => {
    expect(
      parameterCount(selectLayers(stack, { outputs: [], unreached: [] }, specOf(method, over)).adapters),
    ).toBe(expected);
  });
});

const BIAS = ['lora', { loraBias: true }] as const;
const WHOLE = ['full', { trainBias: true }] as const;

/** Lily changes no weight. */
const MERGED = LAYER_METHODS.filter((m) => m !== 'lily');

describe.each<readonly [MethodName, object]>([...MERGED.map((m) => [m, {}] as const), BIAS, WHOLE])(
  '%s %o',
  (method, over) => {
    const size = { rank: 4, frequencies: 9, blockSize: 8 };
    const { adapters } = selectAdapters(graph, layers, specOf(method, { ...size, ...over }));
    const values = initialAdapters(adapters, 1);
    const changes = (of: ReadonlyMap<string, Float32Array>) =>
      adapters
        .map((a) => layerChange(a, of))
        .flatMap(({ weight = [], bias = [] }) => [...weight, ...bias].map(Math.abs));

    it.skipIf(['fourierft', 'c3a'].includes(method))('initially leaves the model unchanged', () => {
      expect(Math.max(...changes(values))).toBeLessThan(1e-7);
    });

    it('changes a bias only if it says so', () => {
      for (const a of adapters)
        expect(layerChange(a, values).bias !== undefined).toBe(
          methodOf(a.spec).changesBias?.(a.spec, a.layer) ?? false,
        );
    });

    it('has neutral values that change nothing, whatever was trained', () => {
      const frozen = frozenNames(adapters);
      const trained = new Map(
        Array.from(
          values,
          ([name, v]) => [name, frozen.has(name) ? v : v.map((x, i) => x + Math.sin(i + 1))] as const,
        ),
      );
      expect(Math.max(...changes(trained))).toBeGreaterThan(1e-3);
      const neutral = new Map<string, Float32Array>(trained);
      for (const a of adapters) {
        const own = methodOf(a.spec).neutral(ownValues(a, trained), a, layerValues(a.layer));
        for (const [name, data] of Object.entries(own)) neutral.set(tensorName(a, name), data);
      }
      expect(Math.max(...changes(neutral))).toBeLessThan(1e-7);
    });
  },
);

it('LoRA scales its bias as its product, and starts with a bias of zero', () => {
  const spec = specOf('lora', { rank: 3, alpha: 12, loraBias: true } as object);
  const [adapter] = selectAdapters(graph, layers, spec).adapters;
  const values = initialAdapters([adapter], 1);
  const bias = values.get(tensorName(adapter, LORA_BIAS))!;
  expect([...bias]).toEqual(new Array(32).fill(0));
  bias.forEach((_, i) => (bias[i] = i / 8));
  expect([...layerChange(adapter, values).bias!]).toEqual(Array.from(bias, (v) => 4 * v));
});

it('VeRA starts with the same matrices in all layers, truncated for smaller layers', () => {
  const { adapters } = selectAdapters(graph, layers, specOf('vera', { rank: 3 } as object));
  const frozen = adapters.map((a) => {
    const [A, B] = methodOf(a.spec).frozen!(a).map((t) => t.values(layerValues(a.layer)));
    return { A, B };
  });
  const [query, inter] = frozen;
  expect(adapters.map((a) => a.layer.outFeatures).slice(0, 2)).toEqual([32, 64]);
  expect(query.A).toEqual(inter.A);
  expect(query.B).toEqual(inter.B.subarray(0, 32 * 3));
  expect(frozen[2]).toEqual(query);
});

it('BitFit skips layers without a bias and reports how many', () => {
  const some = layers.map((l) => ({ ...l, hasBias: !l.path.endsWith('inter') }));
  const { adapters, warnings } = selectLayers(some, { outputs: [], unreached: [] }, specOf('bitfit'));
  expect(adapters.map((a) => a.layer.path)).toEqual(['layer.0.query', 'layer.1.query']);
  expect(warnings).toEqual(['2 of the 4 chosen layers have no bias.']);
  const none = layers.map((l) => ({ ...l, hasBias: false }));
  expect(() => selectLayers(none, { outputs: [], unreached: [] }, specOf('bitfit'))).toThrow(
    /no bias was found in any of the 4 chosen layers/,
  );
});

it('FourierFT rejects more frequencies than a layer has entries', () => {
  const wanted = { frequencies: 32 * 32 + 1, targetModules: ['query'] } as object;
  expect(() => selectAdapters(graph, layers, specOf('fourierft', wanted))).toThrow(
    /adapter\.frequencies is 1025, but a layer of 32 × 32 has only 1024 positions/,
  );
});
