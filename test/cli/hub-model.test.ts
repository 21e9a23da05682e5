import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readInputs } from '../../src/runs/inputs';
import type { Inspection } from '../../src/adapters/inspection';
import { readRun } from '../read-run';
import { Lab } from './lab';

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
    const { code, err } = lab.run('export', run, '--as', 'onnx-merged', '--out', exported);
    expect([code, err]).toEqual([0, expect.anything()]);
    expect(lab.run('inspect', `${exported}/model.onnx`).code).toBe(0);
  });
});
