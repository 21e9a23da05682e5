import { cpSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readRun } from '../read-run';
import { readCheckpoint, saveCheckpoint } from '../../src/training/checkpoint/checkpoint-store';
import type { LossScaleState } from '../../src/training/optimizer/loss-scale';
import { Lab, warnings } from './lab';

const lab = new Lab({ training: { precision: 'mixed', batchSize: 1, maxSteps: 24, evaluateEvery: 12 } });
afterAll(() => lab.remove());

const statePath = (run: string, step: number) =>
  join(run, 'checkpoints', `step-${String(step).padStart(6, '0')}`, 'state.json');
const state = (run: string, step: number) =>
  JSON.parse(readFileSync(statePath(run, step), 'utf8')) as { lossScale?: LossScaleState };

function train(out: string, ...args: string[]): string {
  const r = lab.run('train', lab.experiment, '--out', lab.path(out), ...args);
  expect([r.code, r.err]).toEqual([0, expect.stringContaining('validation loss')]);
  return lab.runs(lab.path(out))[0];
}

function fork(run: string, at: number): string {
  const folder = join(run, '..');
  const before = new Set(lab.runs(folder));
  const r = lab.run('train', '--fork', run, '--at', String(at));
  expect([r.code, r.err]).toEqual([0, expect.stringContaining(`Resuming at step ${at}`)]);
  return lab.runs(folder).find((f) => !before.has(f))!;
}

const column = (run: string, name: string) => [...readRun(run).scalars.column(name)!];
const final = (run: string) =>
  ['adapter.safetensors', 'optimizer.safetensors'].map((name) =>
    readFileSync(join(run, 'checkpoints/step-000024', name)).toString('hex'),
  );

describe('training in mixed precision', () => {
  const mixed = train('mixed');

  it('finishes with results close to float32 and a warning that the CPU gains nothing', () => {
    const full = train('full', '--set', 'training.precision=float32');
    const [a, b] = [column(mixed, 'loss'), column(full, 'loss')];
    expect(a).toHaveLength(24);
    expect(a).not.toEqual(b);
    a.forEach((loss, i) => expect(Math.abs(loss - b[i]) / b[i], `step ${i + 1}`).toBeLessThan(0.02));
    expect(warnings(mixed)).toContainEqual(expect.stringContaining('on the CPU'));
    expect(warnings(full).join()).not.toContain('ixed precision');
    expect(state(mixed, 24).lossScale).toEqual({ scale: 65536, goodSteps: 24, skipped: 0 });
    expect(state(full, 24)).not.toHaveProperty('lossScale');
  });

  it('skips steps with overflowing gradients, reports them, and resumes with the loss scale to the same bits', () => {
    // From 2^128 on, the scale is infinite in float32, which the CPU uses.
    const folder = lab.path('large/run');
    cpSync(mixed, folder, { recursive: true });
    const checkpoint = readCheckpoint(dirname(statePath(folder, 12)));
    checkpoint.state.lossScale = { scale: 2 ** 130, goodSteps: 12, skipped: 0 };
    saveCheckpoint(folder, checkpoint);
    const skipping = fork(folder, 12);

    const norms = column(skipping, 'gradientNorm');
    const skipped = norms.flatMap((norm, i) => (Number.isNaN(norm) ? [i + 1] : []));
    expect(skipped.slice(0, 3)).toEqual([13, 14, 15]);
    expect(skipped.length).toBeLessThan(12);
    expect(state(skipping, 24).lossScale).toMatchObject({
      scale: 2 ** (130 - skipped.length),
      skipped: skipped.length,
    });
    expect(warnings(skipping)).toContainEqual(
      expect.stringContaining(`step 13 overflowed float16: the update was skipped`),
    );
    expect(readRun(skipping).result).toMatchObject({ skippedSteps: skipped.length });
    const told = warnings(skipping).filter((m) => m.includes('was skipped'));
    expect(told).toHaveLength(3);

    const resumed = fork(skipping, 15);
    expect(state(resumed, 15).lossScale).toEqual(state(skipping, 15).lossScale);
    expect(state(resumed, 15).lossScale).toMatchObject({ goodSteps: 0, skipped: 3 });
    expect(column(resumed, 'loss')).toEqual(column(skipping, 'loss'));
    expect(column(resumed, 'gradientNorm')).toEqual(norms);
    expect(final(resumed)).toEqual(final(skipping));
    expect(state(resumed, 24).lossScale).toEqual(state(skipping, 24).lossScale);
  });

  it('ends at a non-finite loss with a different hint than in float32', () => {
    const r = lab.run(
      'train',
      lab.experiment,
      '--out',
      lab.path('wild'),
      '--set',
      'training.learningRate=1e30',
      // Before anything is saved, because saving would detect the overflowed parameters.
      '--set',
      'training.checkpointEvery=100',
    );
    expect(r.code).toBe(17);
    expect(r.err).toMatch(
      /mixed precision diverged at step \d+: .+\n {7}Set training\.precision to "float32"/,
    );
  });
});
