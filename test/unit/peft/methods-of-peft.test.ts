import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { selectAdapters } from '../../../src/adapters/targets/select';
import { modelSource } from '../../../src/architectures/model-source';
import type { Experiment } from '../../../src/experiment/experiment';
import type { TrainedSpec } from '../../../src/experiment/methods';
import { readSafetensors } from '../../../src/graph/file/safetensors';
import { conv1dRefusedByPeft, peftConfig, readByPeft } from '../../../src/peft/adapter-config';
import { readAdapterFolder } from '../../../src/peft/adapter-folder';
import { fitAdapter } from '../../../src/peft/fit';
import { CONFIG_FILE, WEIGHTS_FILE, writePeftAdapter } from '../../../src/peft/peft-adapter';
import { defaultAdapter } from '../../../src/recipes/draft';
import { readModel } from '../../../src/training/task/adapted-model';
import { scratchFolder } from '../../scratch';

const fixture = (name: string) => resolve('test/fixtures/peft-more', name);
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
const tensorsOf = (folder: string) => readSafetensors(join(folder, WEIGHTS_FILE)).tensors;

function read(name: string, from = readAdapterFolder(join(fixture(name), 'adapter'))) {
  const source = modelSource(fixture(name));
  const { model, layers } = readModel(source);
  return { source, ...fitAdapter(from, model.graph, layers) };
}

const experiment = (adapter: TrainedSpec, path: string) =>
  ({ adapter, model: { path }, task: { type: 'text-classification', head: 'none' } }) as Experiment;

/** Keys that PEFT adds to what it reads, and the revision, which this base model does not have. */
const ADDED = ['auto_mapping', 'exclude_modules', 'peft_version', 'revision'];
/** Keys whose values are names: ours are whole paths, and the base model has no name. */
const NAMES = ['base_model_name_or_path', 'target_modules'];

const CASES: [string, object][] = [
  ['peanut', { method: 'peanut', rank: 4, depth: 0, actFn: 'relu', scaling: 2 }],
  ['peanut-deep', { method: 'peanut', rank: 3, depth: 1, actFn: 'gelu', scaling: 1.5 }],
  ['hira', { method: 'hira', rank: 4, dropout: 0, initialization: 'kaiming-uniform' }],
  ['loha', { method: 'loha', rank: 3, alpha: 6 }],
  ['lokr', { method: 'lokr', rank: 2, alpha: 4, decomposeBoth: false, decomposeFactor: -1 }],
  ['lokr-full', { method: 'lokr', rank: 8, alpha: 8, decomposeBoth: false, decomposeFactor: 4 }],
  ['lokr-both', { method: 'lokr', rank: 1, alpha: 3, decomposeBoth: true, decomposeFactor: 4 }],
  ['delora', { method: 'delora', rank: 4, lambda: 6, dropout: 0 }],
];

describe.each(CASES)('the adapter that PEFT saved as %s', (name, settings) => {
  it('is read with its settings, and written with the same keys and values', () => {
    const { source, spec, adapters, parameters } = read(name);
    expect(spec).toMatchObject(settings);
    const folder = join(scratchFolder('methods-of-peft'), name);
    mkdirSync(folder);
    const written = { spec: experiment(spec, source.file), source, adapters };
    writePeftAdapter(folder, written, parameters, { labels: [] });
    expect(tensorsOf(folder)).toEqual(tensorsOf(join(fixture(name), 'adapter')));
    const own = json(join(folder, CONFIG_FILE));
    const peft = json(join(fixture(name), 'adapter', CONFIG_FILE));
    expect(Object.keys(own).sort()).toEqual(
      Object.keys(peft)
        .filter((key) => !ADDED.includes(key))
        .sort(),
    );
    for (const key of Object.keys(own).filter((k) => !NAMES.includes(k)))
      expect([key, own[key]]).toEqual([key, peft[key]]);
    expect(readByPeft(written)).toBe(true);
  });
});

it('LoKr takes ranks from rank_pattern: its tensors do not show them', () => {
  const from = readAdapterFolder(join(fixture('lokr-full'), 'adapter'));
  const config = {
    ...from.config,
    r: 40,
    alpha: 40,
    rank_pattern: { query: 8 },
    alpha_pattern: { query: 4 },
  };
  const { adapters } = read('lokr-full', { ...from, config });
  const settings = adapters.map(({ layer, spec }) => [
    layer.path.split('.').at(-1),
    'rank' in spec && spec.rank,
    'alpha' in spec && spec.alpha,
  ]);
  expect(settings.slice(0, 3)).toEqual([
    ['query', 8, 4],
    ['value', 40, 40],
    ['dense', 40, 40],
  ]);
});

it('activations that are not offered are refused by name', () => {
  const from = readAdapterFolder(join(fixture('peanut'), 'adapter'));
  expect(() => read('peanut', { ...from, config: { ...from.config, act_fn: 'laplace' } })).toThrow(
    /adapter_config\.json is not valid: adapter\.actFn is "laplace", expected "relu"/,
  );
});

describe('on Conv1D', () => {
  const source = modelSource(resolve('test/fixtures/hf/gpt2'));
  const { model, layers } = readModel(source);
  const on = (method: 'hira' | 'loha') => {
    const adapter = { ...defaultAdapter(method), targetModules: ['c_attn'] } as TrainedSpec;
    const { adapters } = selectAdapters(model.graph, layers, adapter);
    return { spec: experiment(adapter, source.file), source, adapters };
  };

  it('PEFT loads HiRA, with fan_in_fan_out', () => {
    expect(readByPeft(on('hira'))).toBe(true);
    expect(peftConfig(on('hira'), 'dynamic').fan_in_fan_out).toBe(true);
  });

  it('PEFT refuses LoHa, so it is not offered for it', () => {
    expect(readByPeft(on('loha'))).toBe(false);
    expect(conv1dRefusedByPeft(on('loha'))).toMatch(/\.0\.attn\.c_attn$/);
  });
});
