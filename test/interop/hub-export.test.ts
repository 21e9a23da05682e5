import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { folderWeights } from '../../src/architectures/load';
import { loadExperiment } from '../../src/runs/experiment/load';
import { ChangedWeights, writeWeights } from '../../src/exports/hub-weights';
import { writePeftAdapter } from '../../src/peft/peft-adapter';
import { adaptModel } from '../../src/training/task/adapted-model';
import { initialAdapters, perturbed } from '../../src/training/task/initialize';
import type { Task } from '../../src/training/task/task';
import { Lab } from '../cli/lab';
import { onPython, python } from './python';

/** A folder in test/fixtures/hf, target modules, how many tensors are changed, and true for a LoRA with a bias. */
const FOLDERS: [name: string, targets: string[], count: number, loraBias?: true][] = [
  ['llama', ['q_proj', 'down_proj'], 4],
  // Packed projections, Conv1D, and bfloat16.
  ['phi3-window', ['qkv_proj', 'gate_up_proj'], 4],
  ['gpt2-untied', ['c_attn', 'c_fc'], 4],
  ['gpt2-scaled', ['c_attn', 'c_fc'], 8, true],
  ['ministral', ['k_proj', 'o_proj'], 4],
];

describe.runIf(onPython)('folders from the hub with merged adapters', () => {
  const lab = new Lab();
  afterAll(() => lab.remove());

  /** The folder, a LoRA on it in PEFT's files, and both merged. */
  function job(name: string, targetModules: string[], loraBias = false) {
    const model = resolve('test/fixtures/hf', name);
    const [adapter, merged] = ['adapter', 'merged'].map((part) => lab.path(`${name}-${part}`));
    const spec = loadExperiment(lab.experiment, [
      `model.path=${model}`,
      'model.maxLength=4',
      `adapter=${JSON.stringify({ method: 'lora', rank: 2, alpha: 6, loraBias, targetModules })}`,
    ]);
    const found = adaptModel(spec);
    const parameters = perturbed(initialAdapters(found.adapters, 1), 2);
    for (const folder of [adapter, merged]) mkdirSync(folder);
    writePeftAdapter(adapter, { ...found, spec }, parameters, { labels: [] });
    const weights = folderWeights(spec.model.path);
    const task = { ...found, spec } as unknown as Task;
    writeWeights(merged, weights, new ChangedWeights(task, parameters, weights.places), () => false);
    return { model, adapter, merged };
  }

  it('have W + s · BA and b + s · bias in PyTorch, in the type of W, and all else as it was', () => {
    const jobs = FOLDERS.map(([name, targets, , loraBias]) => job(name, targets, loraBias));
    expect(JSON.parse(python('hub_side.py', [], jobs))).toEqual(
      FOLDERS.map(([, , changed]) => ({ only: [], changed, wrong: [] })),
    );
  });
});
