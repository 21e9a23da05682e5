import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readInputs } from '../../src/runs/inputs';
import type { Inspection } from '../../src/adapters/inspection';
import { readRun } from '../read-run';
import { CLI, Lab } from './lab';

const lab = new Lab({
  model: { path: 'bert' },
  training: { epochs: 1, evaluateEvery: 6, checkpointEvery: 3 },
});
afterAll(() => lab.remove());
const folder = lab.path('bert');
cpSync(resolve('test/fixtures/hf/bert'), folder, { recursive: true });
for (const name of ['tokenizer.json', 'tokenizer_config.json']) cpSync(lab.path(name), `${folder}/${name}`);

describe('a folder from the hub as a model', () => {
  it('can be inspected: its layers have the paths of transformers', () => {
    const { code, out } = lab.run('inspect', folder, '--json');
    const summary = JSON.parse(out) as Inspection;
    expect(code).toBe(0);
    expect(summary.layers.map((l) => l.path)).toContain('encoder.layer.1.attention.self.query');
    expect(summary.layers.every((l) => l.mergeable && l.hasBias)).toBe(true);
    expect(summary).toMatchObject({
      family: 'bert',
      missingRules: [],
      blocked: [],
      weights: [{ type: 'float' }],
    });
    expect(summary.step.memory!.total).toBeGreaterThan(summary.step.memory!.activations);
  });

  it('trains, refuses to resume with other weights, resumes with its own, and is exported', () => {
    const out = lab.fresh('runs');
    expect(lab.run('train', lab.experiment, '--out', out, '--pause-at', 'step:6').code).toBe(130);
    const run = lab.runs(out)[0];
    const files = readInputs(run)!.files.filter(({ role }) => role.startsWith('model'));
    expect(files.map(({ role, path }) => [role, path])).toEqual([
      ['model', `${folder}/config.json`],
      ['model-data', `${folder}/model.safetensors`],
    ]);

    const weights = readFileSync(`${folder}/model.safetensors`);
    const changed = Buffer.from(weights);
    changed[changed.length - 10] ^= 1;
    writeFileSync(`${folder}/model.safetensors`, changed);
    expect(lab.run('train', '--resume', run)).toMatchObject({
      code: 25,
      err: expect.stringContaining('model.safetensors') as string,
    });
    writeFileSync(`${folder}/model.safetensors`, weights);
    expect(lab.run('train', '--resume', run).code).toBe(0);
    expect(readRun(run).status?.state).toBe('finished');

    const exported = lab.fresh('merged');
    const { code, err } = lab.run('export', run, '--as', 'onnx-merged', '--accept-drop', '--out', exported);
    expect([code, err]).toEqual([0, expect.anything()]);
    expect(lab.run('inspect', `${exported}/model.onnx`).code).toBe(0);
  });

  it.each(['onnx-dynamic', 'onnx-adapter-inputs'])('can be exported as %s', (form) => {
    const [run] = lab.runs(lab.path('runs'));
    expect(lab.run('export', run, '--as', form, '--accept-drop').err).not.toContain('error');
  });

  it('can be exported as such a folder again', () => {
    const [run] = lab.runs(lab.path('runs'));
    const exported = lab.fresh('folder');
    const args = ['export', run, '--as', 'safetensors', '--accept-drop', '--out', exported];
    // Killed before the last file is there, it leaves nothing that loads.
    const preload = resolve('test/cli/kill-at.cjs');
    const env = {
      ...process.env,
      AURORA_TEST_KILL: JSON.stringify({ pattern: 'aurora-tmp/config\\.json$' }),
    };
    const killed = spawnSync(process.execPath, ['--require', preload, CLI, ...args], { env });
    expect(killed.signal).toBe('SIGKILL');
    expect(existsSync(exported)).toBe(false);
    const left = readdirSync(lab.folder).filter((name) => name.startsWith('.folder'));
    expect(left).toHaveLength(1);
    expect(lab.run('inspect', lab.path(left[0])).code).not.toBe(0);

    const { code, out } = lab.run(...args);
    expect([code, out]).toEqual([0, expect.stringContaining('beside the model, in head.safetensors')]);
    expect(lab.run('export', run, '--as', 'safetensors', '--out', folder)).toMatchObject({ code: 2 });
    expect(lab.run('inspect', exported).out).toContain('encoder.layer.0.attention.self.query');
  });
});
