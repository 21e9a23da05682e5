import { afterAll, expect, it } from 'vitest';
import { readRun } from '../read-run';
import { Lab, warnings } from './lab';

const lab = new Lab({ adapter: { dropout: 0.2 }, training: { maxSteps: 12, evaluateEvery: 12 } });
afterAll(() => lab.remove());

function train(out: string, ...settings: string[]): string {
  const args = settings.flatMap((s) => ['--set', s]);
  const r = lab.run('train', lab.experiment, '--device', 'cpu', '--out', lab.path(out), ...args);
  expect([r.code, r.err]).toEqual([0, expect.stringContaining('validation loss')]);
  return lab.runs(lab.path(out))[0];
}

const losses = (run: string) => [...readRun(run).scalars.column('loss')!];
const CHECKPOINTING = 'training.gradientCheckpointing=true';

it('gradient checkpointing trains the same, dropout included', () => {
  const plain = losses(train('plain'));
  const run = train('again', CHECKPOINTING);
  const again = losses(run);
  expect(again).toHaveLength(12);
  again.forEach((loss, i) =>
    expect(Math.abs(loss - plain[i]) / plain[i], `step ${i + 1}`).toBeLessThan(1e-5),
  );
  expect(warnings(run).join()).not.toContain('checkpointing');
});

it('preflight and run report that there is nothing to recompute', () => {
  const head = ['adapter={"method":"none"}', CHECKPOINTING];
  const words = 'Gradient checkpointing has no effect on this model';
  expect(warnings(train('head', ...head))).toContainEqual(expect.stringContaining(words));
  const settings = head.flatMap((s) => ['--set', s]);
  const r = lab.run('preflight', lab.experiment, '--device', 'cpu', '--steps', '1', ...settings);
  expect([r.code, r.out]).toEqual([0, expect.stringContaining(words)]);
});
