import { spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { runPaths, stepName } from '../../src/runs/layout';
import { readRun } from '../read-run';
import { checkpointSteps, readCheckpoint } from '../../src/training/checkpoint/checkpoint-store';
import { CLI, Lab, suspend } from './lab';
import { until } from '../until';

// Much longer than the tests take.
const lab = new Lab({ training: { epochs: 40_000, evaluateEvery: 100_000, checkpointEvery: 25 } });
const model = lab.path('model.onnx');
const original = readFileSync(model);
const children: ReturnType<typeof spawn>[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  writeFileSync(model, original);
});
afterAll(() => lab.remove());

/** A run that has written its first checkpoint, and its exit. */
async function training(name: string) {
  const out = lab.fresh(name);
  const log = `${out}.log`;
  const child = spawn(process.execPath, [CLI, 'train', lab.experiment, '--out', out], {
    stdio: ['ignore', 'ignore', openSync(log, 'w')],
  });
  children.push(child);
  const ended = new Promise<number | string | null>((resolve) =>
    child.once('exit', (code, signal) => resolve(code ?? signal)),
  );
  await until(() => lab.begun(out, 'checkpoints/step-000025'));
  return { run: lab.runs(out)[0], child, ended, words: () => readFileSync(log, 'utf8') };
}

const resume = (run: string) => lab.run('train', '--resume', run);
const parameters = (run: string, step: number) =>
  readCheckpoint(join(runPaths(run).checkpoints, stepName(step))).parameters;

describe('a model file that changes during training', () => {
  it('stops the run if it is overwritten, and every checkpoint is from the original model', async () => {
    const { run, ended, words } = await training('overwritten');
    // Same length, changed in the middle, where the weights are.
    const fd = openSync(model, 'r+');
    writeSync(fd, Buffer.alloc(4096, 0x3d), 0, 4096, Math.floor(original.length / 2));
    closeSync(fd);
    expect(await ended).toBe(25);
    expect(words()).toMatch(/error: The model .+ was changed while the run was training: step \d+/);
    const { events, status } = readRun(run);
    expect(status?.state).toBe('failed');
    expect(events.at(-1)).toMatchObject({ kind: 'failed', error: 'inputs' });
    const refused = resume(run);
    expect([refused.code, refused.err]).toEqual([
      25,
      expect.stringMatching(/The model .+ has changed while the run was training\./),
    ]);

    writeFileSync(model, original);
    const last = checkpointSteps(run).at(-1)!;
    const out = lab.fresh('undisturbed');
    const pause = ['--set', `training.evaluateEvery=${last}`, '--pause-at', `step:${last}`];
    expect(lab.run('train', lab.experiment, '--out', out, ...pause).code).toBe(130);
    expect(parameters(run, last)).toEqual(parameters(lab.runs(out)[0], last));
  });

  it('is named by the resume if it was truncated, which may have killed the trainer', async () => {
    const { run, ended } = await training('truncated');
    truncateSync(model, 5000);
    expect([25, 'SIGBUS']).toContain(await ended);
    const refused = resume(run);
    expect([refused.code, refused.err]).toEqual([
      25,
      expect.stringMatching(/The model .+ has changed while the run was training\./),
    ]);
  });

  it.runIf(process.platform === 'linux')(
    'is named by everything that reads the run next if it was truncated and the trainer was killed for that',
    async () => {
      const { run, child, ended } = await training('killed');
      // While it is suspended, so that the signal arrives before the trainer notices the change.
      await suspend(child.pid!);
      truncateSync(model, 5000);
      child.kill('SIGBUS');
      child.kill('SIGCONT');
      expect(await ended).toBe('SIGBUS');
      const why = `model\\.onnx was changed while it was read: it has 5,000 bytes instead of ${original.length.toLocaleString('en-US')}\\.`;
      const listed = lab.run('runs', run);
      expect([listed.code, listed.err]).toEqual([
        0,
        expect.stringMatching(
          new RegExp(`^warning: The trainer of .+ ended unexpectedly: the model .+${why}`),
        ),
      ]);
      const { lost } = JSON.parse(lab.run('runs', run, '--json').out) as { lost: unknown };
      expect(lost).toEqual([
        {
          folder: run,
          reason: expect.stringMatching(new RegExp(`^the model .+${why.replace(/\\.$/, '$')}`)) as string,
          model: { path: model, before: original.length, after: 5000 },
        },
      ]);
      const refused = resume(run);
      expect([refused.code, refused.err]).toEqual([
        25,
        expect.stringMatching(
          new RegExp(`The last trainer of the run ended unexpectedly at step \\d+: .+${why}`),
        ),
      ]);
    },
  );

  it('that stays the same is no reason: a killed trainer was killed', async () => {
    const { run, child, ended } = await training('sigkill');
    child.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL');
    // Nobody who started it has seen the signal.
    const reason = 'it was killed, or its machine was switched off';
    expect(lab.run('runs', run).err).toBe(`warning: The trainer of ${run} ended unexpectedly: ${reason}.\n`);
    expect(JSON.parse(lab.run('runs', run, '--json').out)).toMatchObject({ lost: [{ folder: run, reason }] });
    const log = `${run}.resumed.log`;
    const resumed = spawn(process.execPath, [CLI, 'train', '--resume', run], {
      stdio: ['ignore', 'ignore', openSync(log, 'w')],
    });
    children.push(resumed);
    const words = () => readFileSync(log, 'utf8');
    await until(() => words().includes('unexpectedly'));
    expect(words()).toMatch(
      new RegExp(`^warning: The last trainer of the run ended unexpectedly at step \\d+: ${reason}\\.$`, 'm'),
    );
  });

  it('does not affect the run if it is replaced, and is rejected by the resume', async () => {
    const { run, child, ended } = await training('replaced');
    const other = Buffer.from(original);
    other.fill(0x3d, original.length >> 1, (original.length >> 1) + 4096);
    lab.write('other.onnx', other);
    renameSync(lab.path('other.onnx'), model);
    const now = checkpointSteps(run).at(-1)!;
    await until(() => checkpointSteps(run).at(-1)! >= now + 50);
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    const refused = resume(run);
    expect([refused.code, refused.err]).toEqual([25, expect.stringMatching(/The model .+ has changed/)]);
    writeFileSync(model, original);
    const last = checkpointSteps(run).at(-1)!;
    expect(parameters(run, last).size).toBeGreaterThan(0);
  });

  it('does not stop the run if only its links or permissions change', async () => {
    const { run, child, ended } = await training('touched');
    linkSync(model, lab.fresh('second-name.onnx'));
    chmodSync(model, 0o600);
    const now = checkpointSteps(run).at(-1)!;
    await until(() => checkpointSteps(run).at(-1)! >= now + 50);
    child.kill('SIGINT');
    expect(await ended).toBe(130);
  });
});
