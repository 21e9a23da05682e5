import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findLinearLayers } from '../../src/graph/layers/linear';
import { loadModel } from '../../src/graph/file/load';
import { prepareModel } from '../../src/graph/prepare';
import { encodeSafetensors, readSafetensors } from '../../src/graph/file/safetensors';
import { runPaths, stepName } from '../../src/runs/layout';
import { readRun } from '../read-run';
import type { Experiment } from '../../src/experiment/experiment';
import type { AdamWState } from '../../src/trainer/optimizer/optimizer';
import { checkpointSteps, readCheckpoint, saveCheckpoint } from '../../src/trainer/checkpoint/store';
import { specHash } from '../../src/trainer/checkpoint/spec-hash';
import { Lab } from './lab';

const MODEL = resolve('test/fixtures/torchvision/text.onnx');
const FORMER = new Map(
  findLinearLayers(prepareModel(loadModel(MODEL)).graph).map((l) => [l.path, l.formerPath!]),
);
const TARGETS = ['blocks.0.mlp.0', 'blocks.0.qkv', 'blocks.1.mlp.2'];

/** The text with module paths as named by an earlier version. */
const former = (text: string): string =>
  [...FORMER].reduce((t, [path, old]) => t.replaceAll(new RegExp(`(?<![\\w.])${path.replaceAll('.', '\\.')}(?![\\w])`, 'g'), old), text); // prettier-ignore

const renamed = <T>(values: ReadonlyMap<string, T>): Map<string, T> =>
  new Map(
    Array.from(values, ([name, value]) => [
      name.startsWith('base_model.model.') ? `base_model.model.${former(name.slice(17))}` : former(name),
      value,
    ]),
  );

/** Replaces a run with what an earlier version would have written. */
function asFormer(run: string): void {
  const { spec, events, checkpoints, adapter } = runPaths(run);
  for (const path of [spec, events]) writeFileSync(path, former(readFileSync(path, 'utf8')));
  const hash = specHash(JSON.parse(readFileSync(spec, 'utf8')) as Experiment);
  // All of them are read first, because saving one removes others.
  const saved = checkpointSteps(run).map((step) => readCheckpoint(join(checkpoints, stepName(step))));
  for (const found of saved) {
    const optimizer: AdamWState = {
      step: found.optimizer.step,
      firstMoments: renamed(found.optimizer.firstMoments),
      secondMoments: renamed(found.optimizer.secondMoments),
    };
    saveCheckpoint(run, {
      state: { ...found.state, specHash: hash },
      parameters: renamed(found.parameters),
      optimizer,
    });
  }
  for (const which of readdirSync(adapter)) {
    const config = join(adapter, which, 'adapter_config.json');
    writeFileSync(config, former(readFileSync(config, 'utf8')));
    const weights = join(adapter, which, 'adapter_model.safetensors');
    writeFileSync(weights, encodeSafetensors(renamed(readSafetensors(weights).tensors), { format: 'pt' }));
  }
}

const tensors = (run: string, which: 'best' | 'last') =>
  readSafetensors(join(run, 'adapter', which, 'adapter_model.safetensors')).tensors;

describe('a run that started with the module paths of an earlier version', () => {
  const lab = new Lab({
    adapter: { targetModules: TARGETS, rank: 2, rankPattern: { 'blocks.0.qkv': 3 } },
    training: { epochs: 2, evaluateEvery: 6, checkpointEvery: 6 },
  });
  let whole: string;
  let run: string;
  beforeAll(() => {
    copyFileSync(MODEL, lab.path('model.onnx'));
    const train = (out: string, ...args: string[]) => {
      const r = lab.run('train', lab.experiment, '--out', out, '--device', 'cpu', '--threads', '1', ...args);
      expect(r.err).not.toContain('error');
      return lab.runs(out)[0];
    };
    whole = train(lab.path('whole'));
    run = train(lab.path('former'), '--pause-at', 'step:12');
    asFormer(run);
  });
  afterAll(() => lab.remove());

  it("has none of PyTorch's paths", () => {
    const text = readFileSync(runPaths(run).events, 'utf8') + readFileSync(runPaths(run).spec, 'utf8');
    for (const path of TARGETS) expect(text).not.toContain(`"${path}"`);
    expect(text).toContain('"blocks.blocks.0.mlp.mlp.0"');
    expect(FORMER.get('blocks.0.qkv')).toBe('blocks.blocks.0');
  });

  it("resumes to the same bits as if it had started with PyTorch's paths", () => {
    const resumed = lab.path('resumed');
    mkdirSync(resumed, { recursive: true });
    cpSync(run, join(resumed, 'run'), { recursive: true });
    const copy = join(resumed, 'run');
    const r = lab.run('train', '--resume', copy);
    expect(r.err).not.toContain('error');
    expect(r.code).toBe(0);
    const { parameters } = readCheckpoint(join(runPaths(copy).checkpoints, 'step-000024'));
    const own = readCheckpoint(join(runPaths(whole).checkpoints, 'step-000024'));
    expect(parameters).toEqual(renamed(own.parameters));
    for (const which of ['best', 'last'] as const)
      expect(tensors(copy, which)).toEqual(tensors(whole, which));
    expect([...tensors(copy, 'last').keys()]).toContain('base_model.model.blocks.0.mlp.0.aurora_A.weight');
    expect(readRun(copy).events.filter((e) => e.kind === 'started')).toHaveLength(1);
  });

  it("can be exported in every form, and to PEFT with PyTorch's paths", () => {
    for (const form of ['adapter', 'onnx-merged', 'onnx-dynamic', 'onnx-adapter-inputs']) {
      const out = lab.path(`export-${form}`);
      const r = lab.run('export', run, '--as', form, '--out', out);
      expect(r.err).not.toContain('error');
      expect(r.code).toBe(0);
    }
    const config = JSON.parse(lab.read('export-adapter/adapter_config.json')) as {
      target_modules: string[];
      rank_pattern: Record<string, number>;
    };
    expect(config.target_modules.toSorted()).toEqual(TARGETS);
    expect(config.rank_pattern['blocks\\.0\\.qkv']).toBe(3);
    const inputs = readSafetensors(lab.path('export-onnx-adapter-inputs/adapter.safetensors')).tensors;
    expect([...inputs.keys()]).toContain('base_model.model.blocks.0.qkv.aurora_A.weight');
  });

  it('opens in the errors view, and its last adapter can be imported', () => {
    const r = lab.run('errors', run);
    expect(r.err).not.toContain('error');
    expect(r.code).toBe(0);
    const imported = lab.run(
      'import',
      join(run, 'adapter/last'),
      '--experiment',
      lab.experiment,
      '--out',
      lab.path('imported'),
    );
    expect(imported.err).not.toContain('error');
    expect(imported.code).toBe(0);
    const started = readRun(lab.runs(lab.path('imported'))[0]).events.find((e) => e.kind === 'started')!;
    expect(started.modules.toSorted()).toEqual(TARGETS);
  });

  it('has targets that a new experiment rejects, naming the right paths', () => {
    const file = 'old.aurora.json';
    const experiment = JSON.parse(lab.read('tiny.aurora.json')) as { adapter: object };
    const targetModules = ['blocks.blocks.0.mlp.mlp.0'];
    lab.write(file, JSON.stringify({ ...experiment, adapter: { method: 'aurora', targetModules } }));
    const r = lab.run('train', lab.path(file), '--out', lab.path('old'));
    expect(r.code).toBe(10);
    expect(r.err).toContain('blocks.0.mlp.0');
  });
});
