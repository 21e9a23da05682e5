import { afterAll, describe, expect, it } from 'vitest';
import type { PreflightLine } from '../../src/protocol/preflight';
import { readRun } from '../read-run';
import { Lab } from './lab';

// The experiment writes training.epochs; an epoch has 12 steps.
const lab = new Lab();
afterAll(() => lab.remove());

const IGNORED = 'training.epochs is ignored, because training.maxSteps sets the number of steps.';
const startOf = (run: string) => {
  const started = readRun(run).events.find((e) => e.kind === 'started')!;
  return { steps: started.steps, epochs: started.epochs };
};

describe('training.maxSteps beside training.epochs', () => {
  const out = lab.path('runs');
  const train = (...args: string[]) => lab.run('train', lab.experiment, '--out', out, ...args);

  it('is reported by aurora train and recorded with the epochs that it takes', () => {
    const done = train('--set', 'training.maxSteps=14');
    expect([done.code, done.err]).toEqual([0, expect.stringContaining(`Warning: ${IGNORED}\n`)]);
    expect(startOf(lab.runs(out)[0])).toEqual({ steps: 14, epochs: 2 });
  });

  it('decides the epochs of a fork', () => {
    const [run] = lab.runs(out);
    const done = lab.run('train', '--fork', run, '--at', '12', '--set', 'training.maxSteps=13');
    expect([done.code, done.err]).toEqual([0, expect.any(String)]);
    const fork = lab.runs(out).find((other) => other !== run)!;
    expect(startOf(fork)).toEqual({ steps: 13, epochs: 2 });
    const none = lab.run('train', '--fork', run, '--at', '12', '--set', 'training.maxSteps=12');
    expect(none.err).toContain('raise training.maxSteps with --set');
  });

  it('is reported by aurora preflight, at the setting', () => {
    const check = (...args: string[]) =>
      lab
        .run('preflight', lab.experiment, '--json', ...args)
        .out.trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as PreflightLine);
    expect(check('--set', 'training.maxSteps=2')).toContainEqual({
      kind: 'problem',
      severity: 'warning',
      key: 'training.epochs',
      message: IGNORED,
    });
    expect(JSON.stringify(check())).not.toContain('is ignored');
  });
});
