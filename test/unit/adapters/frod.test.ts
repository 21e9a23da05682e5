import { tensorName } from '../../../src/adapters/stored-tensors';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { adapterFileSize, weightsMetadata } from '../../../src/adapters/budget/budget';
import { comparedAdapters } from '../../../src/adapters/budget/budget-comparison';
import { layerChange } from '../../../src/adapters/merge';
import { layerValues } from '../../../src/adapters/methods/layer-values';
import { selectAdapters, selectLayers } from '../../../src/adapters/targets/select';
import { modelSource } from '../../../src/architectures/model-source';
import type { Experiment } from '../../../src/experiment/experiment';
import type { TrainedSpec } from '../../../src/experiment/methods';
import { encodeSafetensors, readSafetensors } from '../../../src/graph/file/safetensors';
import { pytorchPathOf } from '../../../src/graph/layers/linear';
import { readAdapterFolder } from '../../../src/peft/adapter-folder';
import { fitAdapter } from '../../../src/peft/fit';
import { readPeftAdapter, WEIGHTS_FILE, writePeftAdapter } from '../../../src/peft/peft-adapter';
import { defaultAdapter } from '../../../src/recipes/draft';
import { readModel } from '../../../src/training/task/adapted-model';
import { frozenNames, initialAdapters, perturbed } from '../../../src/training/task/initialize';
import { scratchFolder } from '../../scratch';
import { auroraSpec } from '../specs';

const path = resolve('test/fixtures/peft-more/frod');
const source = modelSource(path);
const { model, layers } = readModel(source);

const frod = (over: object = {}) =>
  ({ ...defaultAdapter('frod'), targetModules: ['query', 'intermediate.dense'], ...over }) as TrainedSpec;

const adaptersOf = (spec: TrainedSpec) => selectAdapters(model.graph, layers, spec).adapters;

const experiment = (adapter: TrainedSpec) =>
  ({
    adapter,
    model: { path: source.file },
    task: { type: 'text-classification', head: 'none' },
  }) as Experiment;

describe('FRoD', () => {
  it('starts as the weights, on one basis for each kind of layer', () => {
    const adapters = adaptersOf(frod());
    const values = initialAdapters(adapters, 1);
    for (const adapter of adapters) {
      const weight = layerValues(adapter.layer).weight();
      const largest = Math.max(...weight.map(Math.abs));
      const change = layerChange(adapter, values).weight!;
      expect(Math.max(...Array.from(change, Math.abs))).toBeLessThan(1e-6 * largest);
    }
    const owners = new Set(adapters.map((a) => tensorName(a, 'V')));
    expect([...owners].map((name) => name.split('.').slice(-3).join('.'))).toEqual([
      'self.query.V',
      'intermediate.dense.V',
    ]);
  });

  it('computes its basis once for the adapters of a run, and starts from the same lengths again', () => {
    const adapters = adaptersOf(frod());
    const [first, name] = [initialAdapters(adapters, 1), (short: string) => tensorName(adapters[0], short)];
    const lengths = first.get(name('l'))!.slice();
    first.get(name('l'))!.fill(5);
    const again = initialAdapters(adapters, 1);
    expect(again.get(name('V'))).toBe(first.get(name('V')));
    expect(again.get(name('U'))).toBe(first.get(name('U')));
    expect(again.get(name('l'))).toEqual(lengths);
  });

  it('draws other places for each kind of layer and each seed, none twice or on the diagonal', () => {
    const placesOf = (projectionSeed: number, nth: number) => {
      const adapters = adaptersOf(frod({ sparseRate: 0.5, projectionSeed }));
      return [...initialAdapters(adapters, 1).get(tensorName(adapters[nth], 'places'))!];
    };
    const places = placesOf(0, 0);
    const count = places.length / 2;
    expect(count).toBe(24 * 12);
    const pairs = Array.from({ length: count }, (_, j) => [places[j], places[count + j]]);
    expect(new Set(pairs.map(String)).size).toBe(count);
    for (const [row, column] of pairs) {
      expect(row).not.toBe(column);
      expect([row, column].every((at) => at >= 0 && at < 24)).toBe(true);
    }
    expect(placesOf(0, 1)).not.toEqual(places);
    expect(placesOf(1, 0)).not.toEqual(places);
  });

  it('writes no U, and reads all values again to the same bits', () => {
    const spec = frod({ sparseRate: 0.1 });
    const adapters = adaptersOf(spec);
    const values = perturbed(initialAdapters(adapters, 1), 2, frozenNames(adapters));
    const folder = scratchFolder('frod');
    const adapted = { spec: experiment(spec), source, adapters };
    writePeftAdapter(folder, adapted, values, { labels: [] }, 'dynamic', 3);
    const file = join(folder, WEIGHTS_FILE);
    expect([...readSafetensors(file).tensors.keys()].filter((key) => key.includes('frod_U'))).toEqual([]);
    expect(readSafetensors(file).metadata).toEqual(weightsMetadata(3));
    const asNamed = adapters.map((a) => ({ ...a, layer: { ...a.layer, path: pytorchPathOf(a.layer) } }));
    expect(adapterFileSize(asNamed).total).toBe(readFileSync(file).length);
    const read = readPeftAdapter(folder, adapters);
    expect(new Set(read.keys())).toEqual(new Set(values.keys()));
    for (const [name, data] of values) expect([name, read.get(name)]).toEqual([name, data]);
    const imported = fitAdapter(readAdapterFolder(folder), model.graph, layers);
    for (const [name, data] of values) expect([name, imported.parameters.get(name)]).toEqual([name, data]);
  });

  it('refuses layers of one kind with other inputs, and names both', () => {
    const modules = [
      { path: 'encoder.0.attention.query', inFeatures: 8, outFeatures: 8 },
      { path: 'encoder.1.attention.query', inFeatures: 12, outFeatures: 8 },
    ];
    const on = (spec: TrainedSpec) => selectLayers(modules, { outputs: [], unreached: [] }, spec);
    expect(() => on(frod({ targetModules: ['query'] }))).toThrow(
      /FRoD has one V for encoder\.0\.attention\.query \(8 × 8\) and encoder\.1\.attention\.query \(8 × 12\), but it would be 8 × 8 for one and 12 × 12/,
    );
    expect(on(frod({ targetModules: ['0.attention.query'] })).adapters).toHaveLength(1);
  });

  it('refuses a layer of one input', () => {
    const modules = [{ path: 'a.query', inFeatures: 1, outFeatures: 8 }];
    expect(() =>
      selectLayers(modules, { outputs: [], unreached: [] }, frod({ targetModules: ['query'] })),
    ).toThrow(/FRoD needs at least two inputs, but a\.query \(8 × 1\) has one/);
  });

  it('has a share of trained elements whose count is nearest to a budget', () => {
    const modules = [{ path: 'a.query', inFeatures: 256, outFeatures: 256, calls: 1 }];
    const base = auroraSpec({ targetModules: ['query'] });
    const choice = { methods: ['frod'] as const, multiples: [2], ablations: false };
    const [, spec] = comparedAdapters(modules, base, choice);
    // AuroRA has 1,044 of rank 2; FRoD 256 and 1,835 of 65,536.
    expect(spec).toMatchObject({ method: 'frod', sparseRate: 0.028 });
  });

  it('is not read from a file whose basis has no inverse or is missing', () => {
    const folder = scratchFolder('frod-damaged');
    const { tensors } = readSafetensors(join(path, 'adapter', WEIGHTS_FILE));
    writeFileSync(
      join(folder, 'adapter_config.json'),
      readFileSync(join(path, 'adapter', 'adapter_config.json')),
    );
    const read = (changed: typeof tensors) => {
      writeFileSync(join(folder, WEIGHTS_FILE), encodeSafetensors(changed, { format: 'pt' }));
      return fitAdapter(readAdapterFolder(folder), model.graph, layers);
    };
    const key = 'base_model.frod_V.self_query';
    const { dims, data } = tensors.get(key)!;
    expect(() => read(new Map([...tensors, [key, { dims, data: data.map(() => 1) }]]))).toThrow(
      /The basis V of encoder\.layer\.0\.attention\.self\.query \(24 × 24\) is singular/,
    );
    expect(() => read(new Map([...tensors].filter(([name]) => name !== key)))).toThrow(
      /has no .*query\.frod_V, a frozen tensor that nothing else determines/,
    );
  });
});
