import { tensorName } from '../../../src/adapters/stored-tensors';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { modelSource } from '../../../src/architectures/model-source';
import type { Experiment } from '../../../src/experiment/experiment';
import { encodeSafetensors, readSafetensors, type FloatTensor } from '../../../src/graph/file/safetensors';
import { peftConfig } from '../../../src/peft/adapter-config';
import { readAdapterFolder } from '../../../src/peft/adapter-folder';
import { fitAdapter } from '../../../src/peft/fit';
import { CONFIG_FILE, WEIGHTS_FILE, writePeftAdapter } from '../../../src/peft/peft-adapter';
import { adaptTo, readModel } from '../../../src/training/task/adapted-model';
import { scratchFolder } from '../../scratch';
import { loraSpec } from '../specs';

const fixture = (name: string) => resolve('test/fixtures/peft-more', name);
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
const tensorsOf = (folder: string) => readSafetensors(join(folder, WEIGHTS_FILE)).tensors;

function read(name: string, keepsHead: boolean) {
  const source = modelSource(fixture(name));
  const { model, layers } = readModel(source);
  return {
    source,
    ...fitAdapter(readAdapterFolder(fixture(`${name}/adapter`)), model.graph, layers, { keepsHead }),
  };
}

/** The folder of an adapter that was read, as an export writes it. */
function written(name: string): string {
  const { source, spec: adapter, adapters, parameters } = read(name, true);
  const folder = join(scratchFolder('beside'), name);
  mkdirSync(folder);
  const task = { type: 'text-classification', head: 'none' };
  const spec = { adapter, model: { path: source.file }, task } as Experiment;
  writePeftAdapter(folder, { spec, source, adapters }, parameters, { labels: [] });
  return folder;
}

describe('modules that PEFT saves whole', () => {
  it('are all layers of the head where the model’s own logits are trained on', () => {
    const { spec, adapters, head } = read('lora-save', true);
    expect(spec).toMatchObject({ modulesToSave: ['classifier'] });
    const saved = adapters.filter((a) => a.beside === 'module').map((a) => a.layer.path);
    expect(saved).toEqual(['classifier.dense', 'classifier.out_proj']);
    expect(head).toBeUndefined();
  });

  it('are the layers before the head that the task trains', () => {
    const { adapters, head, parameters } = read('lora-save', false);
    expect(adapters.filter((a) => a.beside === 'module').map((a) => a.layer.path)).toEqual([
      'classifier.dense',
    ]);
    expect(head?.module).toBe('classifier.out_proj');
    const stored = tensorsOf(fixture('lora-save/adapter')).get('base_model.model.classifier.dense.bias')!;
    expect(parameters.get('classifier.dense.trainedBias')).toEqual(stored.data);
  });

  it('are written as PEFT wrote them', () => {
    const folder = written('lora-save');
    expect(tensorsOf(folder)).toEqual(tensorsOf(fixture('lora-save/adapter')));
    const { modules_to_save: names, target_modules: targets } = json(join(folder, CONFIG_FILE));
    expect(names).toEqual(['classifier']);
    expect(targets).toHaveLength(4);
  });

  it('get no other adapter, and only those before the loss are trained', () => {
    const base = readModel(modelSource(fixture('lora-save')));
    const adapter = loraSpec({ targetModules: '.*(query|dense)', modulesToSave: ['classifier', 'score'] });
    const task = { type: 'text-classification', head: 'none' };
    const spec = { adapter, model: { path: '', maxLength: 8 }, task, training: {} } as Experiment;
    const { adapters, warnings } = adaptTo(base, spec);
    const saved = adapters.filter((a) => a.beside === 'module').map((a) => a.layer.path);
    expect(saved).toEqual(['classifier.dense', 'classifier.out_proj']);
    expect(adapters.filter((a) => a.layer.path.startsWith('classifier')).length).toBe(2);
    expect(warnings).toContain('modulesToSave: "score" matched no module before the loss.');
  });

  it('must consist of linear layers', () => {
    const base = readModel(modelSource(fixture('lora-save')));
    const task = { type: 'text-classification', head: 'none' };
    for (const name of ['word_embeddings', 'LayerNorm']) {
      const adapter = loraSpec({ targetModules: ['query'], modulesToSave: [name] });
      const spec = { adapter, model: { path: '', maxLength: 8 }, task, training: {} } as Experiment;
      expect(() => adaptTo(base, spec)).toThrow(expect.objectContaining({ kind: 'targets' }));
    }
  });
});

describe('trained rows of an embedding', () => {
  it.each(['lora-tokens', 'tokens-only'])('are read and written as PEFT wrote them: %s', (name) => {
    const folder = written(name);
    expect(tensorsOf(folder)).toEqual(tensorsOf(fixture(`${name}/adapter`)));
    const [own, peft] = [folder, fixture(`${name}/adapter`)].map((of) => json(join(of, CONFIG_FILE)));
    for (const key of ['trainable_token_indices', 'token_indices', 'peft_type'])
      expect([key, own[key]]).toEqual([key, peft[key]]);
  });

  it('start as they are, and are those of the language head where it has the same weight', () => {
    const base = readModel(modelSource(fixture('dora-conv1d')));
    const adapter = loraSpec({ targetModules: ['c_attn'], trainableTokenIndices: [3, 7] });
    const task = { type: 'causal-language-modeling', head: 'none' };
    const spec = { adapter, model: { path: '', maxLength: 8 }, task, training: {} } as Experiment;
    const { adapters, layers } = adaptTo(base, spec);
    const rows = adapters.filter((a) => 'tokenIndices' in a.spec);
    expect(rows.map((a) => [a.layer.path, a.beside])).toEqual([
      ['wte', 'rows'],
      ['lm_head', 'tied'],
    ]);
    expect(layers.map((l) => l.path)).not.toContain('wte');
    expect(new Set(rows.map((a) => tensorName(a, 'rows')))).toEqual(new Set(['wte.rows']));
    // The head is no Conv1D, as LoRA's modules are.
    expect(peftConfig({ spec, source: base.source, adapters }, 'dynamic')).toMatchObject({
      fan_in_fan_out: true,
      target_modules: [0, 1].map((i) => expect.stringMatching(`h\\.${i}\\.attn\\.c_attn$`) as string),
      trainable_token_indices: { wte: [3, 7] },
    });
  });

  it('are refused for tokens that the model does not have', () => {
    const base = readModel(modelSource(fixture('lora-tokens')));
    const adapter = loraSpec({ targetModules: ['query'], trainableTokenIndices: [61] });
    const task = { type: 'text-classification', head: 'none' };
    const spec = { adapter, model: { path: '', maxLength: 8 }, task, training: {} } as Experiment;
    expect(() => adaptTo(base, spec)).toThrow('has rows for the tokens 0 to 60');
  });
});

describe('modules that transformers 5 has renamed', () => {
  const VIT = resolve('test/fixtures/hf/vit');
  const inClass = (path: string) =>
    path
      .replace('encoder.layer.', 'layers.')
      .replace('attention.attention.query', 'attention.q_proj')
      .replace('intermediate.dense', 'mlp.fc1');

  it.each([
    ['the folder’s', (path: string) => path],
    ['those of the class', inClass],
  ])('are found by their names: %s', (_, name) => {
    const { model, layers } = readModel(modelSource(VIT));
    const targets = ['encoder.layer.0.attention.attention.query', 'encoder.layer.1.intermediate.dense'];
    const folder = scratchFolder('renamed');
    const tensors = new Map<string, FloatTensor>();
    for (const path of targets) {
      const { inFeatures, outFeatures } = layers.find((l) => l.path === path)!;
      const key = (part: string) => `base_model.model.vit.${name(path)}.lora_${part}.weight`;
      tensors.set(key('A'), { dims: [2, inFeatures], data: new Float32Array(2 * inFeatures) });
      tensors.set(key('B'), { dims: [outFeatures, 2], data: new Float32Array(2 * outFeatures) });
    }
    const config = { peft_type: 'LORA', r: 2, lora_alpha: 4 };
    const from = { folder, config, tensors: readBack(tensors, folder) };
    const { adapters, spec } = fitAdapter(from, model.graph, layers);
    expect(adapters.map((a) => a.layer.path)).toEqual(targets);
    expect(spec.targetModules).toEqual(targets);
  });
});

/** As they are after a round trip through a file. */
function readBack(tensors: ReadonlyMap<string, FloatTensor>, folder: string): Map<string, FloatTensor> {
  const path = join(folder, WEIGHTS_FILE);
  writeFileSync(path, encodeSafetensors(new Map(tensors)));
  return readSafetensors(path).tensors;
}
