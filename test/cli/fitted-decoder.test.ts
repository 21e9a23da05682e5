import { cpSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { ExportRecord } from '../../src/protocol/export';
import { Lab } from './lab';

/** Qwen2: query, key and value have biases, the other layers have none, and neither have its norms. */
const lab = new Lab({
  model: { path: 'qwen2' },
  adapter: { method: 'aurora', targetModules: 'all-linear' },
  training: { epochs: 2, learningRate: 0.03, metric: 'loss' },
});
afterAll(() => lab.remove());
cpSync(resolve('test/fixtures/hf/qwen2-tied'), lab.path('qwen2'), { recursive: true });
for (const name of ['tokenizer.json', 'tokenizer_config.json'])
  cpSync(lab.path(name), lab.path(`qwen2/${name}`));
const trained = lab.run('train', lab.experiment, '--device', 'cpu');
const [run] = lab.runs(lab.path('.aurora/runs/tiny'));

it.each([
  ['onnx-merged', 14],
  ['safetensors', 6],
  ['peft-lora', 0],
])('AuroRA on a decoder is fitted as %s with a bias in %i of 14 layers', (form, withBias) => {
  expect([trained.code, trained.err]).toEqual([0, expect.anything()]);
  const out = lab.fresh(form);
  const { code, err } = lab.run('export', run, '--as', form, '--accept-drop', '--out', out);
  expect([code, err]).toEqual([0, expect.stringContaining('the fitted form on 24 examples')]);
  const record = JSON.parse(readFileSync(join(out, 'export.json'), 'utf8')) as ExportRecord;
  expect(record).toMatchObject({ merge: 'fitted', fit: { layers: 14, withBias } });
  expect(record.largestDifference).toBeLessThan(1e-4);
  const { fitted, paper, trained: asTrained, exported } = record.metrics;
  expect(exported.loss).toBeCloseTo(fitted!.loss, 5);
  const apart = (loss: number) => Math.abs(loss - asTrained.loss);
  expect(apart(fitted!.loss)).toBeLessThan(apart(paper!.loss));
  // Before the files are written and measured.
  const said = /warning: (.*)\n[^]*Measuring the exported files/.exec(err)?.[1];
  expect(said).toBe(
    form === 'peft-lora' ? 'vLLM refuses an adapter with a trained head (modules_to_save).' : undefined,
  );
  expect(record.vllm?.filter(({ met }) => !met).map(({ limit }) => limit)).toEqual(
    form === 'peft-lora' ? ['modules_to_save'] : undefined,
  );
  expect(readFileSync(join(out, 'README.md'), 'utf8').includes('## In vLLM')).toBe(form === 'peft-lora');
});
