import { parameterCount, tensorName } from '../../../src/adapters/stored-tensors';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { layerChange } from '../../../src/adapters/merge';
import { methodOf } from '../../../src/adapters/methods/registry';
import { selectLayers } from '../../../src/adapters/targets/select';
import { modelSource } from '../../../src/architectures/model-source';
import type { Experiment } from '../../../src/experiment/experiment';
import type { MethodName, TrainedSpec } from '../../../src/experiment/methods';
import { readSafetensors } from '../../../src/graph/file/safetensors';
import { readAdapterFolder } from '../../../src/peft/adapter-folder';
import { fitAdapter } from '../../../src/peft/fit';
import { WEIGHTS_FILE, writePeftAdapter } from '../../../src/peft/peft-adapter';
import { defaultAdapter } from '../../../src/recipes/draft';
import { readModel } from '../../../src/training/task/adapted-model';
import { initialAdapters } from '../../../src/training/task/initialize';
import { scratchFolder } from '../../scratch';
import { adapted, layerModel } from './one-layer';

const specOf = (method: MethodName, over: object) =>
  ({ ...defaultAdapter(method), targetModules: ['dense'], ...over }) as TrainedSpec;

const stack = Array.from({ length: 24 }, (_, i) => ({
  path: `layer.${Math.floor(i / 2)}.${i % 2 ? 'value' : 'query'}`,
  inFeatures: 768,
  outFeatures: 768,
}));
const onStack = (method: MethodName, over: object) =>
  selectLayers(stack, { outputs: [], unreached: [] }, {
    ...specOf(method, over),
    targetModules: ['query', 'value'],
  } as TrainedSpec).adapters;

it.each<[MethodName, object, number]>([
  ['randlora', { rank: 32 }, 24 * 24 * (32 + 768)],
  ['randlora', { rank: 500 }, 24 * 2 * (500 + 768)],
  ['gralora', { rank: 32 }, 24 * 32 * 1536],
  ['gralora', { rank: 32, hybridR: 4 }, 24 * 36 * 1536],
  ['c3a', { blockSize: 768 }, 24 * 768],
  ['shira', { rank: 8 }, 24 * 8 * 1536],
  ['frod', {}, 24 * (768 + 5898)],
  // All elements beside the diagonal.
  ['frod', { sparseRate: 1 }, 24 * 768 * 768],
  // A for each pair of neighbours, two times B of 3 · 8 × 768, and a router for each layer.
  ['lily', { rank: 8, strideA: 2, numB: 3 }, 12 * 8 * 768 + 2 * 3 * 8 * 768 + 24 * 3 * 8],
])('%s %o has %i parameters on q and v of RoBERTa-Base', (method, over, expected) => {
  expect(parameterCount(onStack(method, over))).toBe(expected);
});

it.each<[MethodName, object, RegExp]>([
  ['gralora', { rank: 5 }, /adapter\.rank 5 is not a multiple of adapter\.graloraK 2/],
  [
    'gralora',
    { rank: 5, graloraK: 5 },
    /adapter\.graloraK 5 does not divide the sizes of a layer of 768 × 768/,
  ],
  ['c3a', { blockSize: 500 }, /adapter\.blockSize 500 does not divide the sizes of a layer of 768 × 768/],
  ['shira', { rank: 385 }, /adapter\.rank 385 is too large for SHiRA on a layer of 768 × 768/],
])('%s %o is refused', (method, over, message) => {
  expect(() => onStack(method, over)).toThrow(message);
});

it('offers only sizes that the layers allow', () => {
  const layers = [{ inFeatures: 12, outFeatures: 18 }];
  const sizes = (method: MethodName, over: object = {}) =>
    methodOf({ method }).sizes!(layers, specOf(method, over));
  expect(sizes('c3a')).toEqual([1, 2, 3, 6]);
  expect(sizes('gralora', { graloraK: 3 })).toEqual([3, 6, 9, 12]);
  expect(sizes('randlora')).toEqual([1, 2, 3, 4, 6, 12]);
});

it('Lily shares its matrices between layers of a name, and cannot be merged', () => {
  const adapters = onStack('lily', { strideA: 4 });
  expect(tensorName(adapters[6], 'A')).toBe('layer.0.query.A');
  expect(tensorName(adapters[8], 'A')).toBe('layer.4.query.A');
  expect(tensorName(adapters[9], 'B')).toBe('layer.0.value.B');
  const own = adapted(layerModel(6, 6), 'lily', { rank: 2 });
  expect(() => layerChange(own.adapter, initialAdapters(own.adapters, 1))).toThrow(/cannot be merged/);
});

describe.each(['randlora', 'gralora', 'gralora-hybrid', 'c3a', 'shira', 'lily', 'frod'])(
  'the folder of PEFT %s',
  (name) => {
    const path = resolve('test/fixtures/peft-more', name);
    const source = modelSource(path);
    const { model: base, layers } = readModel(source);
    const from = readAdapterFolder(resolve(path, 'adapter'));
    const read = fitAdapter(from, base.graph, layers, { keepsHead: true });

    it('is written again with the same tensors and only keys that PEFT has', () => {
      const folder = scratchFolder('frozen-tensors');
      const task = { type: 'text-classification', head: 'model' };
      const spec = { adapter: read.spec, model: { path: source.file }, task } as unknown as Experiment;
      writePeftAdapter(folder, { spec, source, adapters: read.adapters }, read.parameters, { labels: [] });
      const written = readSafetensors(resolve(folder, WEIGHTS_FILE)).tensors;
      expect([...written.keys()].sort()).toEqual([...from.tensors.keys()].sort());
      for (const [key, tensor] of from.tensors) expect(written.get(key)).toEqual(tensor);
      const { config } = readAdapterFolder(folder);
      const known = [...Object.keys(from.config), 'exclude_modules'];
      expect(Object.keys(config).filter((key) => !known.includes(key))).toEqual([]);
    });
  },
);
