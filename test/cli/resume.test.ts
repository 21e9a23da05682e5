import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runPaths, stepOfName } from '../../src/runs/layout';
import { readRun } from '../read-run';
import { CLI, Lab, suspended } from './lab';
import { until } from '../until';

const lab = new Lab({ training: { epochs: 8, evaluateEvery: 20, checkpointEvery: 3 } });

/** A disk of a few megabytes, which only root on Linux can create. */
const disk = lab.path('disk');
const mounted = (() => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();
afterAll(() => {
  if (mounted) execFileSync('umount', [disk]);
  lab.remove();
});

const filler = join(disk, 'filler');

function fill(): void {
  try {
    for (;;) appendFileSync(filler, Buffer.alloc(4096, 1));
  } catch (e) {
    expect((e as NodeJS.ErrnoException).code).toBe('ENOSPC');
  }
}

/**
 * Runs the built CLI on the experiment with its output in a file. It suspends itself after a rename to a
 * matching path.
 */
function startUntil(pattern: string, log: string, ...args: string[]) {
  const preload = resolve('test/cli/kill-at.cjs');
  const moment = { pattern, when: 'after', signal: 'SIGSTOP' };
  const child = spawn(process.execPath, ['--require', preload, CLI, 'train', ...args], {
    stdio: ['ignore', 'ignore', openSync(log, 'w')],
    env: { ...process.env, AURORA_TEST_KILL: JSON.stringify(moment) },
  });
  return { child, exit: new Promise<number | null>((done) => child.once('exit', done)) };
}

const bits = (run: string) =>
  ['best', 'last'].map((which) =>
    createHash('sha256')
      .update(readFileSync(join(run, 'adapter', which, 'adapter_model.safetensors')))
      .digest('hex'),
  );

describe('a full disk', () => {
  it.skipIf(!mounted)(
    'stops the run midway, and with free space the run resumes to the same bits',
    async () => {
      for (const name of readdirSync(disk)) rmSync(join(disk, name), { recursive: true });
      const out = join(disk, 'runs');
      const log = lab.path('train.log');
      const { child, exit } = startUntil('checkpoints/step-000006$', log, lab.experiment, '--out', out);
      await until(() => lab.begun(out, 'checkpoints/step-000006'));
      await suspended(child.pid!);
      fill();
      child.kill('SIGCONT');
      expect(await exit).toBe(18);
      const words = readFileSync(log, 'utf8');
      expect(words).toMatch(/error: The disk is full: .+ could not be written\.\n {7}Free some space/);
      expect(words).not.toMatch(/^ +at /m);

      rmSync(filler);
      const [run] = lab.runs(out);
      const resumed = lab.run('train', '--resume', run);
      expect([resumed.code, resumed.err]).toEqual([0, expect.stringContaining('Resuming at step')]);
      expect(readRun(run).status?.state).toBe('finished');
      const whole = lab.fresh('whole');
      const more = ['--out', whole, '--set', 'training.checkpointEvery=1000'];
      expect(lab.run('train', lab.experiment, ...more).code).toBe(0);
      expect(bits(run)).toEqual(bits(lab.runs(whole)[0]));
    },
  );

  it.skipIf(!mounted)('prevents a run from starting', () => {
    fill();
    const r = lab.run('train', lab.experiment, '--out', join(disk, 'others'));
    rmSync(filler);
    expect(r.code).toBe(18);
    expect(r.err).toMatch(/error: The disk is full: .+ could not be written\.\n {7}Free some space/);
  });
});

describe('resuming a run', () => {
  it('that another process is training is rejected', async () => {
    const out = lab.fresh('live');
    const child = lab.start('train', lab.experiment, '--out', out, '--set', 'training.epochs=4000');
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await until(() => lab.begun(out, 'scalars.bin'));
    const r = lab.run('train', '--resume', lab.runs(out)[0]);
    child.kill('SIGKILL');
    await ended;
    expect(r.code).toBe(20);
    expect(r.err).toMatch(new RegExp(`is still being trained by process ${child.pid} on .+\\n {7}Stop that`));
  });

  it('that was stopped while devices are measured keeps its step', async () => {
    const out = lab.fresh('measured-again');
    const child = lab.start('train', lab.experiment, '--out', out, '--set', 'training.epochs=4000');
    const killed = new Promise((resolve) => child.once('exit', resolve));
    await until(() => lab.begun(out, 'checkpoints/step-000003'));
    child.kill('SIGKILL');
    await killed;
    const [run] = lab.runs(out);
    const again = lab.start('train', '--resume', run, '--device', 'auto:cpu,webgpu');
    const end = new Promise((resolve) => again.once('exit', resolve));
    await until(() => lab.begun(out, 'graph/trial-cpu'));
    const { control } = runPaths(run);
    mkdirSync(control, { recursive: true });
    writeFileSync(join(control, 'stop'), '');
    expect(await end).toBe(130);
    const { events } = readRun(run);
    // The journal records a checkpoint after it exists, and may have been too late for that.
    const saved = Math.max(...readdirSync(runPaths(run).checkpoints).map((name) => stepOfName(name) ?? 0));
    expect(saved).toBeGreaterThan(0);
    expect(events.at(-1)).toMatchObject({ kind: 'stopped', step: saved });
  });

  it('is rejected for a folder that is not a run', () => {
    mkdirSync(lab.path('empty'), { recursive: true });
    const r = lab.run('train', '--resume', lab.path('empty'));
    expect(r.code).toBe(20);
    expect(r.err).toContain(
      `error: ${lab.path('empty/spec.json')} is missing.\n       Check that the folder is a run`,
    );
  });

  it('does not accept a different experiment', () => {
    const r = lab.run('train', '--resume', lab.path('empty'), '--set', 'training.epochs=5');
    expect(r.code).toBe(2);
    expect(r.err).toMatch(/--resume takes no file and no --set\.\n {7}Start a new run/);
  });
});
