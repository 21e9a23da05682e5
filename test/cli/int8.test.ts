import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readRun } from '../read-run';
import { Lab } from './lab';

const lab = new Lab({ training: { precision: 'int8', maxSteps: 12, evaluateEvery: 6, checkpointEvery: 6 } });
afterAll(() => lab.remove());

const column = (run: string, name: string) => [...readRun(run).scalars.column(name)!];
const adapter = (run: string) =>
  readFileSync(join(run, 'checkpoints/step-000012/adapter.safetensors')).toString('hex');

describe('training in int8', () => {
  it('finishes near float32, and from a checkpoint to the same bits', () => {
    const train = (out: string, ...args: string[]) => {
      const r = lab.run('train', lab.experiment, '--out', lab.path(out), ...args);
      expect([r.code, r.err]).toEqual([0, expect.stringContaining('validation loss')]);
      return lab.runs(lab.path(out))[0];
    };
    const int8 = train('int8');
    const full = column(train('full', '--set', 'training.precision=float32'), 'loss');
    const losses = column(int8, 'loss');
    expect(losses).not.toEqual(full);
    losses.forEach((loss, i) =>
      expect(Math.abs(loss - full[i]) / full[i], `step ${i + 1}`).toBeLessThan(0.02),
    );

    const before = new Set(lab.runs(lab.path('int8')));
    const r = lab.run('train', '--fork', int8, '--at', '6');
    expect([r.code, r.err]).toEqual([0, expect.stringContaining('Resuming at step 6')]);
    const forked = lab.runs(lab.path('int8')).find((run) => !before.has(run))!;
    expect(column(forked, 'loss')).toEqual(losses);
    expect(adapter(forked)).toBe(adapter(int8));
  });
});
