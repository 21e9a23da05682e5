import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { modelSource } from '../../../src/architectures/model-source';
import type { Experiment } from '../../../src/experiment/experiment';
import { readSafetensors } from '../../../src/graph/file/safetensors';
import { readAdapterFolder } from '../../../src/peft/adapter-folder';
import { fitAdapter } from '../../../src/peft/fit';
import { CONFIG_FILE, WEIGHTS_FILE, writePeftAdapter } from '../../../src/peft/peft-adapter';
import { readModel } from '../../../src/training/task/adapted-model';
import { scratchFolder } from '../../scratch';

const fixture = (name: string) => resolve('test/fixtures/peft-more', name);
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
const tensorsOf = (folder: string) => readSafetensors(join(folder, WEIGHTS_FILE)).tensors;

/** Keys that PEFT adds to what it reads, and the revision, which this base model does not have. */
const ADDED = ['auto_mapping', 'exclude_modules', 'peft_version', 'revision'];
/** Keys whose values are names: ours are whole paths and an expression, and the base model has no name. */
const NAMES = ['base_model_name_or_path', 'target_modules', 'feedforward_modules'];

describe.each([
  'ia3',
  'miss',
  'miss-bat',
  'miss-mini',
  'oft',
  'oft-coft',
  'oft-share',
  'boft',
  'boft-butterfly',
])('the adapter that PEFT saved as %s', (name) => {
  it('is written with the same keys and values, and read again', () => {
    const source = modelSource(fixture(name));
    const { model, layers } = readModel(source);
    const read = (path: string) => fitAdapter(readAdapterFolder(path), model.graph, layers);
    const { spec, adapters, parameters } = read(join(fixture(name), 'adapter'));
    const folder = join(scratchFolder('rotations-of-peft'), name);
    mkdirSync(folder);
    const experiment = {
      adapter: spec,
      model: { path: source.file },
      task: { type: 'text-classification', head: 'none' },
    } as Experiment;
    writePeftAdapter(folder, { spec: experiment, source, adapters }, parameters, { labels: [] });
    expect(tensorsOf(folder)).toEqual(tensorsOf(join(fixture(name), 'adapter')));
    const own = json(join(folder, CONFIG_FILE));
    const peft = json(join(fixture(name), 'adapter', CONFIG_FILE));
    const keys = Object.keys(peft).filter((key) => !ADDED.includes(key));
    expect(Object.keys(own).sort()).toEqual(keys.sort());
    for (const key of keys.filter((k) => !NAMES.includes(k)))
      expect([key, own[key]]).toEqual([key, peft[key]]);
    expect(read(folder).parameters).toEqual(parameters);
  });
});
