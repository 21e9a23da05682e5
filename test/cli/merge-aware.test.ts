import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readRun } from '../read-run';
import type { ExportRecord } from '../../src/protocol/export';
import type { RunEvent } from '../../src/protocol/events';
import { Lab } from './lab';

/** 12 steps per epoch. */
const lab = new Lab({
  training: { epochs: 3, learningRate: 0.03, evaluateEvery: 'epoch', checkpointEvery: 4 },
});
afterAll(() => lab.remove());

function train(out: string, ...settings: string[]) {
  const set = settings.flatMap((s) => ['--set', s]);
  const r = lab.run('train', lab.experiment, '--out', lab.path(out), ...set);
  expect([r.code, r.err]).toEqual([0, expect.not.stringContaining('error')]);
  return { run: lab.runs(lab.path(out))[0], err: r.err };
}

const evaluations = (run: string) =>
  readRun(run).events.filter((e): e is RunEvent & { kind: 'evaluation' } => e.kind === 'evaluation');
const bytes = (run: string) => readFileSync(join(run, 'checkpoints/step-000036/adapter.safetensors'));

describe('training.staticEpochs', () => {
  const { run, err } = train('static', 'training.staticEpochs=1');

  it('trains the dynamic form, then the static one, and starts a new search for the best evaluation', () => {
    expect(err).toContain('step 24: training the static form from here on');
    const seen = evaluations(run);
    expect(seen.map((e) => [e.step, e.form])).toEqual([
      [12, undefined],
      [24, undefined],
      [36, 'static'],
    ]);
    expect(seen.at(-1)!.best).toBe(true);
    expect(readRun(run).result!.best).toMatchObject({ step: 36 });
    // Until then it equals the run without it.
    const plain = train('plain').run;
    const losses = (r: string) => [...readRun(r).scalars.column('loss')!];
    expect(losses(run).slice(0, 24)).toEqual(losses(plain).slice(0, 24));
    expect(losses(run)[30]).not.toBe(losses(plain)[30]);
  });

  it('merges into exactly what was trained', () => {
    const out = lab.path('merged');
    const r = lab.run('export', run, '--as', 'onnx-merged', '--at', 'last', '--out', out);
    expect([r.code, r.out]).toEqual([0, expect.not.stringContaining('paper’s merge')]);
    const record = JSON.parse(readFileSync(join(out, 'export.json'), 'utf8')) as ExportRecord;
    const { metrics } = evaluations(run).at(-1)!;
    expect(record).toMatchObject({ step: 36, trainedForm: 'static', metrics: { trained: metrics } });
    expect(record).not.toHaveProperty('merge');
    expect(record.metrics.exported.loss).toBeCloseTo(metrics.loss, 5);
    expect(record.drop.loss).toBe(0);
  });

  it.each([8, 24, 28])('continues from step %i to the same bits', (step) => {
    const r = lab.run('train', '--fork', run, '--at', String(step));
    expect([r.code, r.err]).toEqual([0, expect.not.stringContaining('error')]);
    const forked = lab.runs(lab.path('static')).at(-1)!;
    expect(forked).not.toBe(run);
    expect(bytes(forked).equals(bytes(run))).toBe(true);
    expect(
      evaluations(forked).map(({ step, metrics, best, form }) => ({ step, metrics, best, form })),
    ).toEqual(evaluations(run).map(({ step, metrics, best, form }) => ({ step, metrics, best, form })));
  });

  it.each([
    [
      '28',
      ['training.epochs=4'],
      /from step 36 on, but in the checkpoint of step 28, it has been trained since step 24/,
    ],
    [
      '24',
      ['training.staticEpochs=2'],
      /from step 12 on, but in the checkpoint of step 24, its training has not started/,
    ],
  ])('cannot be forked at step %s with %s', (step, settings, message) => {
    const set = settings.flatMap((s) => ['--set', s]);
    const r = lab.run('train', '--fork', run, '--at', step, ...set);
    expect([r.code, r.err]).toEqual([20, expect.stringMatching(message)]);
  });

  it.each([
    ['training.staticEpochs=4', /training.staticEpochs is 4, more than the 3 of training.epochs/],
    ['training.earlyStopping={"patience":1}', /only one of them can be set/],
    ['adapter={"method":"lora"}', /training.staticEpochs is 1, but it applies only to AuroRA/],
  ])('is rejected together with %s', (setting, message) => {
    const r = lab.run('train', lab.experiment, '--set', 'training.staticEpochs=1', '--set', setting);
    expect([r.code, r.err]).toEqual([3, expect.stringMatching(message)]);
  });
});
