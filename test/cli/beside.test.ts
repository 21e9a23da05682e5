import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readRun } from '../read-run';
import { Lab } from './lab';
import { robertaWithHead } from './roberta-with-head';

const lab = new Lab({ training: { epochs: 2, learningRate: 0.03, evaluateEvery: 'epoch' } });
beforeAll(() => robertaWithHead(lab));
afterAll(() => lab.remove());

const SETTINGS = [
  'model.path=roberta',
  'task={"type":"text-classification","headWeights":"model"}',
  'adapter={"method":"lora","rank":2,"targetModules":["query"],"modulesToSave":["classifier"],"trainableTokenIndices":[5,7]}',
];
const set = SETTINGS.flatMap((setting) => ['--set', setting]);

const weights = (run: string, step: number) =>
  readFileSync(join(run, 'checkpoints', `step-${String(step).padStart(6, '0')}`, 'adapter.safetensors'));

function train(out: string, ...more: string[]): string {
  const r = lab.run('train', lab.experiment, '--out', lab.path(out), '--device', 'cpu', ...set, ...more);
  expect([r.code, r.err]).toEqual([0, expect.not.stringContaining('error')]);
  return lab.runs(lab.path(out))[0];
}

it('a run with a whole head and trained tokens is resumed, exported and imported without losing a bit', () => {
  const run = train('whole');
  const started = readRun(run).events.find((e) => e.kind === 'started');
  // LoRA on two layers, the dense layer of the head, and two rows of 32.
  expect(started).toMatchObject({ trainable: 2 * 2 * 64 + (32 * 32 + 32) + 2 * 32 });
  const last = Number(readRun(run).result!.steps);

  const pause = ['--out', lab.path('paused'), '--pause-at', `step:${last / 2}`];
  expect(lab.run('train', lab.experiment, '--device', 'cpu', ...set, ...pause).code).toBe(130);
  const [paused] = lab.runs(lab.path('paused'));
  const resumed = lab.run('train', '--resume', paused, '--device', 'cpu');
  expect([resumed.code, resumed.err]).toEqual([0, expect.not.stringContaining('error')]);
  expect(weights(paused, last).equals(weights(run, last))).toBe(true);

  const folder = lab.path('exported');
  const exported = lab.run('export', run, '--as', 'peft-lora', '--at', 'last', '--out', folder);
  expect([exported.code, exported.err]).toEqual([0, expect.not.stringContaining('error')]);
  const out = lab.path('imported');
  const imported = lab.run('import', folder, '--experiment', lab.experiment, '--out', out, ...set);
  expect([imported.code, imported.err]).toEqual([0, expect.not.stringContaining('error')]);
  expect(weights(lab.runs(out)[0], 0).equals(weights(run, last))).toBe(true);
});
