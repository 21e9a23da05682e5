import { tensorName } from '../../../src/adapters/stored-tensors';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { modelSource } from '../../../src/architectures/model-source';
import { AuroraError } from '../../../src/base/errors';
import type { DenseArray } from '../../../src/cli/commands/reference/case';
import type { Experiment } from '../../../src/experiment/experiment';
import type { AdaloraSpec } from '../../../src/experiment/methods';
import { encodeSafetensors, readSafetensors } from '../../../src/graph/file/safetensors';
import { pytorchPathOf } from '../../../src/graph/layers/linear';
import { readAdapterFolder } from '../../../src/peft/adapter-folder';
import { fitAdapter, type FittedAdapter } from '../../../src/peft/fit';
import { peftKey } from '../../../src/peft/keys';
import { CONFIG_FILE, readPeftAdapter, WEIGHTS_FILE, writePeftAdapter } from '../../../src/peft/peft-adapter';
import { readModel } from '../../../src/training/task/adapted-model';
import { scratchFolder } from '../../scratch';

type Json = Record<string, unknown>;
const FIXTURES = resolve('test/fixtures/peft-more');
const PRUNED = join(FIXTURES, 'adalora-prune', 'adapter-trained');
const source = modelSource(join(FIXTURES, 'adalora-prune'));
const { model, layers } = readModel(source);
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Json;
const configOf = (folder: string) => json(join(folder, CONFIG_FILE));
const tensorsOf = (folder: string) => readSafetensors(join(folder, WEIGHTS_FILE)).tensors;

const imported = (folder: string): FittedAdapter =>
  fitAdapter(readAdapterFolder(folder), model.graph, layers, { keepsHead: true });

/** Writes an adapter to a new folder. */
function written(
  name: string,
  { spec: adapter, adapters }: FittedAdapter,
  parameters: ReadonlyMap<string, Float32Array>,
  steps?: number,
): string {
  const folder = join(scratchFolder('adalora'), name);
  mkdirSync(folder);
  const task = { type: 'text-classification', head: 'none' };
  const spec = { adapter, model: { path: source.file }, task } as Experiment;
  writePeftAdapter(folder, { spec, source, adapters, ...(steps && { steps }) }, parameters, { labels: [] });
  return folder;
}

/** A copy of PEFT's folder with other settings. */
function changed(name: string, over: (config: Json) => Json): string {
  const folder = join(scratchFolder('adalora'), name);
  cpSync(PRUNED, folder, { recursive: true });
  writeFileSync(join(folder, CONFIG_FILE), JSON.stringify(over(configOf(PRUNED))));
  return folder;
}

const SETTINGS: Partial<AdaloraSpec> = {
  ...{ method: 'adalora', rank: 4, targetRank: 2, alpha: 6, dropout: 0, orthRegWeight: 0.5 },
  ...{ tinit: 2, tfinal: 2, deltaT: 2, beta1: 0.85, beta2: 0.85, totalStep: 10 },
};

describe('an adapter of AdaLoRA without the ranks that were taken away', () => {
  const read = imported(PRUNED);

  it('is read with zeros in their place', () => {
    expect(read.spec).toMatchObject(SETTINGS);
    const { trained } = json(join(FIXTURES, 'adalora-prune.json')) as { trained: Record<string, DenseArray> };
    const adapters = read.adapters.filter((a) => !a.beside);
    expect(adapters).toHaveLength(4);
    let zeros = 0;
    for (const a of adapters)
      for (const { name, peftName, dims } of a.tensors) {
        const found = read.parameters.get(tensorName(a, name))!;
        const whole = trained[peftKey(pytorchPathOf(a.layer), peftName)];
        expect(found).toHaveLength(dims[0] * dims[1]);
        // Ranks of A and B that the file lacks are lost, and E is 0 for them.
        found.forEach((v, i) => expect(v === 0 || Math.abs(v - whole.data[i]) < 1e-6).toBe(true));
        if (name === 'E') zeros += found.filter((v) => v === 0).length;
      }
    expect(zeros).toBe(8);
  });

  it('is written as PEFT wrote it', () => {
    const folder = written('again', read, read.parameters);
    expect(tensorsOf(folder)).toEqual(tensorsOf(PRUNED));
    const [own, peft] = [configOf(folder), configOf(PRUNED)];
    const keys = ['init_r', 'target_r', 'tinit', 'tfinal', 'deltaT', 'beta1', 'beta2', 'orth_reg_weight'];
    for (const key of [...keys, 'total_step', 'rank_pattern', 'peft_type', 'r', 'lora_alpha', 'lora_dropout'])
      expect([key, own[key]]).toEqual([key, peft[key]]);
    // PEFT rejects settings that it does not know.
    expect(Object.keys(peft)).toEqual(expect.arrayContaining(Object.keys(own)));
  });

  it('is written from whole tensors as PEFT cuts them, and read back by a run', () => {
    const { trained } = json(join(FIXTURES, 'adalora-prune.json')) as { trained: Record<string, DenseArray> };
    const parameters = new Map(read.parameters);
    for (const a of read.adapters.filter((a) => !a.beside))
      for (const { name, peftName } of a.tensors) {
        const { data } = trained[peftKey(pytorchPathOf(a.layer), peftName)];
        parameters.set(tensorName(a, name), Float32Array.from(data));
      }
    const folder = written('cut', read, parameters);
    expect(configOf(folder).rank_pattern).toEqual(configOf(PRUNED).rank_pattern);
    const [own, peft] = [tensorsOf(folder), tensorsOf(PRUNED)];
    expect([...own.keys()].sort()).toEqual([...peft.keys()].sort());
    for (const [key, { dims }] of own) expect([key, dims]).toEqual([key, peft.get(key)!.dims]);
    const back = readPeftAdapter(folder, read.adapters);
    for (const a of read.adapters.filter((a) => !a.beside)) {
      const name = tensorName(a, 'E');
      expect(back.get(name)).toEqual(parameters.get(name));
    }
  });

  it.each<[string, (config: Json) => Json, RegExp]>([
    [
      'a list of another rank',
      (c) => ({ ...c, rank_pattern: patterned(c, () => [true, false]) }),
      /rank_pattern has no list of 4 true or false for .+query/,
    ],
    [
      'more ranks than the tensors have',
      (c) => ({ ...c, rank_pattern: patterned(c, () => [true, true, true, false]) }),
      /lora_. has 2 ranks, and rank_pattern keeps 3 of 4/,
    ],
    ['no pattern', (c) => ({ ...c, rank_pattern: null }), /lora_A is \[2, 24\], but .+ needs \[4, 24\]/],
    [
      'trained biases',
      (c) => ({ ...c, bias: 'all' }),
      /adapter_config\.json trains biases too \(bias "all"\)/,
    ],
    ['no total_step', (c) => ({ ...c, total_step: null }), /is missing total_step/],
  ])('is rejected with %s', (name, over, message) => {
    const folder = changed(name.replaceAll(' ', '-'), over);
    const read = () => imported(folder);
    expect(read).toThrow(AuroraError);
    expect(read).toThrow(message);
  });
});

/** The first module's list replaced. */
function patterned({ rank_pattern }: Json, list: () => boolean[]): Json {
  const pattern = rank_pattern as Json;
  return { ...pattern, [Object.keys(pattern)[0]]: list() };
}

it('a module without a rank is written with empty tensors, and read back', () => {
  const read = imported(PRUNED);
  const [first] = read.adapters;
  const parameters = new Map([...read.parameters, [tensorName(first, 'E'), new Float32Array(4)] as const]);
  const folder = written('empty', read, parameters);
  const key = peftKey(pytorchPathOf(first.layer), 'lora_B');
  expect(tensorsOf(folder).get(key)).toEqual({ dims: [24, 0], data: new Float32Array(0) });
  const again = imported(folder);
  expect(again.parameters.get(tensorName(first, 'E'))).toEqual(new Float32Array(4));
});

it('before training, when all E are 0, all ranks are written', () => {
  const read = imported(PRUNED);
  const parameters = new Map(
    Array.from(
      read.parameters,
      ([name, v]) => [name, name.endsWith('.E') ? new Float32Array(4) : v] as const,
    ),
  );
  const folder = written('new', read, parameters);
  expect(configOf(folder)).not.toHaveProperty('rank_pattern');
  const key = peftKey(pytorchPathOf(read.adapters[0].layer), 'lora_A');
  expect(tensorsOf(folder).get(key)!.dims).toEqual([4, 24]);
});

it('total_step is the number of steps of the run, unless the settings have another', () => {
  const read = imported(PRUNED);
  const { totalStep, ...own } = read.spec as AdaloraSpec;
  expect(totalStep).toBe(10);
  const without = { ...read, spec: own };
  expect(configOf(written('given', read, read.parameters, 500)).total_step).toBe(10);
  expect(configOf(written('run', without, read.parameters, 500)).total_step).toBe(500);
  // PEFT loads no schedule without a step between tinit and tfinal.
  expect(configOf(written('unknown', without, read.parameters)).total_step).toBe(5);
});

it('without a task_type, PEFT adds no penalty, so it is read without one', () => {
  const folder = changed('no-task', (c) => ({ ...c, task_type: null }));
  expect(imported(folder).spec).toMatchObject({ orthRegWeight: 0 });
});

it("LoRA's scale without an alpha is the rank at the start", () => {
  const folder = changed('no-alpha', (c) => ({ ...c, lora_alpha: 0 }));
  expect(imported(folder).spec).toMatchObject({ alpha: 4, rank: 4 });
});

it('a file whose tensors PEFT has not cut yet is read as it is', () => {
  const folder = join(scratchFolder('adalora'), 'uncut');
  cpSync(join(FIXTURES, 'adalora-prune', 'adapter'), folder, { recursive: true });
  const { rank_pattern } = configOf(PRUNED);
  writeFileSync(join(folder, CONFIG_FILE), JSON.stringify({ ...configOf(folder), rank_pattern }));
  const tensors = tensorsOf(folder);
  writeFileSync(join(folder, WEIGHTS_FILE), encodeSafetensors(tensors, { format: 'pt' }));
  const read = imported(folder);
  const [first] = read.adapters;
  const key = peftKey(pytorchPathOf(first.layer), 'lora_E');
  expect(read.parameters.get(tensorName(first, 'E'))).toEqual(tensors.get(key)!.data);
});
