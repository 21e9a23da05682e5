import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readRun } from '../read-run';
import { EXIT } from '../../src/base/errors';
import { checkpointSteps } from '../../src/training/checkpoint/checkpoint-store';
import { stepOfAdapter } from '../../src/peft/peft-adapter';
import { CLI, Lab } from './lab';

/** By loss, because here every evaluation then is a new best one. */
const lab = new Lab({
  training: {
    ...{ metric: 'loss', evaluateEvery: 4, checkpointEvery: 100, maxSteps: 16, schedule: 'constant' },
    ...{ learningRate: 0.001, activationsEvery: 1 },
  },
});
afterAll(() => lab.remove());

interface Moment {
  /** Matches the path that a file or a folder is renamed to. */
  pattern: string;
  nth?: number;
  when?: 'before' | 'after';
  signal?: 'SIGKILL' | 'SIGTERM';
}

/** Runs the program, which sends itself a signal at the given moment. */
function killedAt(moment: Moment, ...args: string[]) {
  const preload = resolve('test/cli/kill-at.cjs');
  return spawnSync(process.execPath, ['--require', preload, CLI, 'train', ...args, '--threads', '1'], {
    encoding: 'utf8',
    timeout: 900_000,
    env: { ...process.env, AURORA_TEST_KILL: JSON.stringify(moment) },
  });
}

const adapter = (run: string, which: 'best' | 'last') => join(run, 'adapter', which);
const weights = (run: string, which: 'best' | 'last') =>
  readFileSync(join(adapter(run, which), 'adapter_model.safetensors'));
const lastBest = (run: string) => readRun(run).events.findLast((e) => e.kind === 'evaluation' && e.best);

/**
 * A run killed at some moment of step 12, then resumed and stopped at step 9. The snapshots show its
 * progress.
 */
function killedAndResumed(out: string, moment: Moment): string {
  expect(killedAt(moment, lab.experiment, '--out', lab.path(out)).signal).toBe('SIGKILL');
  const [run] = lab.runs(lab.path(out));
  const stopped = killedAt(
    { pattern: 'activations/examples\\.json$', signal: 'SIGTERM' },
    ...['--resume', run],
  );
  expect(stopped.status, stopped.stderr).toBe(EXIT.stopped);
  return run;
}

describe('a run killed at its best evaluation, resumed from before it and stopped', () => {
  it.each<[string, Moment]>([
    ['between its files', { pattern: 'best/adapter_model\\.safetensors$', nth: 3 }],
    ['after the best adapter', { pattern: 'best/adapter_model\\.safetensors$', nth: 3, when: 'after' }],
    ['before the checkpoint was in place', { pattern: 'checkpoints/step-000012$' }],
  ])('has the best adapter of the steps since its resume: killed %s', (name, moment) => {
    const run = killedAndResumed(name.replaceAll(' ', '-'), moment);
    expect(readRun(run).events.at(-1)).toMatchObject({ kind: 'stopped', step: 9 });
    expect(lastBest(run)).toMatchObject({ step: 8 });
    expect(stepOfAdapter(adapter(run, 'best'))).toBe(8);
    expect(stepOfAdapter(adapter(run, 'last'))).toBe(9);
    // The result equals that of a run that was never killed.
    expect(lab.run('train', '--resume', run, '--threads', '1').code).toBe(EXIT.ok);
    expect(weights(run, 'best')).toEqual(weights(whole(), 'best'));
    expect(weights(run, 'last')).toEqual(weights(whole(), 'last'));
  });

  it('continues from the checkpoint, with its adapters, if that was in place', () => {
    const moment: Moment = { pattern: 'checkpoints/step-000012$', when: 'after' };
    expect(killedAt(moment, lab.experiment, '--out', lab.path('placed')).signal).toBe('SIGKILL');
    const [run] = lab.runs(lab.path('placed'));
    rmSync(join(run, 'adapter'), { recursive: true });
    const stopped = killedAt(
      { pattern: 'activations/examples\\.json$', signal: 'SIGTERM' },
      ...['--resume', run],
    );
    expect(stopped.status, stopped.stderr).toBe(EXIT.stopped);
    expect(stepOfAdapter(adapter(run, 'best'))).toBe(12);
    expect(stepOfAdapter(adapter(run, 'last'))).toBe(13);
  });
});

it('a run killed before its first checkpoint starts over without the adapter of its later step', () => {
  const moment: Moment = { pattern: 'checkpoints/step-000004$' };
  expect(killedAt(moment, lab.experiment, '--out', lab.path('first')).signal).toBe('SIGKILL');
  const [run] = lab.runs(lab.path('first'));
  expect(stepOfAdapter(adapter(run, 'best'))).toBe(4);
  const stopped = killedAt(
    { pattern: 'activations/examples\\.json$', signal: 'SIGTERM' },
    ...['--resume', run],
  );
  expect(stopped.status, stopped.stderr).toBe(EXIT.stopped);
  expect(existsSync(adapter(run, 'best'))).toBe(false);
  expect(stepOfAdapter(adapter(run, 'last'))).toBe(1);
});

it("a resume removes a best adapter of a later step if the right one's checkpoint is gone, with a warning", () => {
  const moment: Moment = { pattern: 'checkpoints/step-000012$' };
  const args = ['--set', 'training.checkpointEvery=1', '--set', 'training.evaluateEvery=6'];
  expect(killedAt(moment, lab.experiment, '--out', lab.path('gone'), ...args).signal).toBe('SIGKILL');
  const [run] = lab.runs(lab.path('gone'));
  expect(checkpointSteps(run).at(-1)).toBe(11);
  rmSync(join(run, 'checkpoints', 'step-000006'), { recursive: true });
  const again = killedAt({ pattern: 'activations/examples\\.json$' }, '--resume', run);
  expect(again.signal).toBe('SIGKILL');
  expect(again.stderr).toContain('adapter/best was removed: it is from step 12, not from step');
  expect(existsSync(adapter(run, 'best'))).toBe(false);
});

let trained: string | undefined;
/** A run that is trained to completion without interruption. */
function whole(): string {
  if (trained) return trained;
  expect(lab.run('train', lab.experiment, '--threads', '1', '--out', lab.path('whole')).code).toBe(EXIT.ok);
  return (trained = lab.runs(lab.path('whole'))[0]);
}
