import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { ownerFile } from '../../src/files/fence';
import { runPaths } from '../../src/runs/layout';
import { readRun } from '../read-run';
import { checkpointSteps } from '../../src/training/checkpoint/checkpoint-store';
import { CLI, Lab, suspend } from './lab';
import { until } from '../until';

const lab = new Lab({ training: { epochs: 1_000_000, evaluateEvery: 20, checkpointEvery: 6 } });
afterAll(() => lab.remove());

const runsFolder = lab.path('.aurora/runs/tiny');

interface Training {
  run: string;
  pid: number;
  /** Resolves to its exit code and its output. */
  end: () => Promise<[number | null, string]>;
}

/** Starts a run and waits until it has saved a step. */
async function training(name: string, step = 24): Promise<Training> {
  const log = lab.path(`${name}.log`);
  const before = existsSync(runsFolder) ? readdirSync(runsFolder) : [];
  const child = spawn(process.execPath, [CLI, 'train', lab.experiment], {
    stdio: ['ignore', 'ignore', openSync(log, 'w')],
  });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const made = () =>
    existsSync(runsFolder) ? readdirSync(runsFolder).filter((n) => !before.includes(n)) : [];
  // The newest one, because earlier checkpoints are pruned.
  await until(() => made().some((n) => checkpointSteps(join(runsFolder, n)).at(-1)! >= step));
  return {
    run: join(runsFolder, made()[0]),
    pid: child.pid!,
    end: async () => [await exit, readFileSync(log, 'utf8')],
  };
}

/**
 * Suspends it in a step that neither evaluates nor saves, because a write in progress would finish in any
 * folder.
 */
async function haltBetweenSaves({ run, pid }: Training): Promise<void> {
  const saves = (step: number) => step % 6 === 0 || step % 20 === 0;
  for (;;) {
    await suspend(pid);
    const step = readRun(run).scalars.records;
    if (!saves(step) && !saves(step + 1)) return;
    process.kill(pid, 'SIGCONT');
    await wait(3);
  }
}

/** Resumes a run for a few steps and stops it, which shows that it is intact. */
async function resumes(run: string): Promise<void> {
  const { step } = readRun(run).status!;
  const child = lab.start('train', '--resume', run);
  const exit = new Promise((resolve) => child.once('exit', resolve));
  await until(() => (readRun(run).status?.step ?? 0) > step + 3);
  mkdirSync(runPaths(run).control, { recursive: true });
  child.kill('SIGTERM');
  expect(await exit).toBe(130);
  const events = readRun(run).events;
  expect(events.filter((e) => e.kind === 'evaluation').map((e) => e.step)).toEqual(
    Array.from({ length: Math.floor(readRun(run).status!.step / 20) }, (_, i) => 20 * (i + 1)),
  );
  for (const which of ['best', 'last'])
    if (existsSync(join(run, 'adapter', which)))
      expect(readdirSync(join(run, 'adapter', which))).toContain('adapter_model.safetensors');
}

const recovered = () => lab.path('.aurora/recovered');

describe.skipIf(process.platform === 'win32')('a run with a folder', () => {
  it('that is renamed stops, names the new place and resumes there without recreating the old path', async () => {
    const { run, end } = await training('renamed');
    const moved = lab.fresh('moved');
    renameSync(run, moved);
    const [code, words] = await end();
    expect([code, words]).toEqual([26, expect.stringContaining(`It is now ${moved}.`)]);
    expect(words).toContain(`aurora train --resume ${moved}`);
    expect(existsSync(run)).toBe(false);
    expect(existsSync(recovered())).toBe(false);
    expect(existsSync(join(moved, 'graph'))).toBe(false);
    expect(existsSync(ownerFile(moved))).toBe(false);
    const { status, events } = readRun(moved);
    expect(status).toMatchObject({ state: 'failed' });
    expect(events.at(-1)).toMatchObject({ kind: 'failed', error: 'lost', step: status!.step });
    await resumes(moved);
  });

  it('that is removed stops, saves its state beside the runs and resumes from there', async () => {
    const { run, end } = await training('removed');
    await remove(run, run);
    const [code, words] = await end();
    const to = join(recovered(), basename(run));
    expect([code, words]).toEqual([26, expect.stringContaining(`aurora train --resume ${to}`)]);
    expect(existsSync(run)).toBe(false);
    const { status, events } = readRun(to);
    expect(status!.step).toBeGreaterThanOrEqual(24);
    expect(events[0]).toMatchObject({ kind: 'requested' });
    expect(events.at(-1)).toMatchObject({ kind: 'failed', error: 'lost', step: status!.step });
    await resumes(to);
  });

  it('that is replaced by another of the same name does not touch the new one', async () => {
    const trainer = await training('replaced');
    const { run, pid, end } = trainer;
    const moved = lab.fresh('replaced');
    await haltBetweenSaves(trainer);
    renameSync(run, moved);
    mkdirSync(run);
    process.kill(pid, 'SIGCONT');
    const [code, words] = await end();
    expect([code, words]).toEqual([26, expect.stringContaining(`It is now ${moved}.`)]);
    expect(readdirSync(run)).toEqual([]);
    rmSync(run, { recursive: true });
  });
});

describe.skipIf(process.platform === 'win32')('a run that loses', () => {
  it.each(['events.jsonl', 'scalars.bin'])('%s stops and saves its state elsewhere', async (name) => {
    const { run, end } = await training(name);
    await remove(run, join(run, name));
    const [code, words] = await end();
    const to = join(recovered(), basename(run));
    expect([code, words]).toEqual([26, expect.stringContaining(`${name} of the run ${run}`)]);
    expect(words).toContain(`aurora train --resume ${to}`);
    expect(existsSync(join(run, name))).toBe(false);
    await resumes(to);
  });

  it('its adapters writes them again', async () => {
    const { run, end } = await training('adapters', 60);
    const both = () =>
      ['best', 'last'].every((which) =>
        existsSync(join(runPaths(run).adapter, which, 'adapter_model.safetensors')),
      );
    await until(both);
    await remove(run, runPaths(run).adapter);
    // Its best step may have no checkpoint. It then stops instead of finishing without the adapter.
    await until(() => both() || !alive(run));
    if (alive(run)) {
      process.kill(readRun(run).status!.pid, 'SIGTERM');
      expect((await end())[0]).toBe(130);
    } else {
      const [code, words] = await end();
      expect([code, words]).toEqual([26, expect.stringContaining('adapter')]);
    }
  });
});

/**
 * Removes a path while the trainer is suspended. Otherwise the trainer may write into it and make the removal
 * fail.
 */
async function remove(run: string, path: string): Promise<void> {
  const { pid } = readRun(run).status!;
  await suspend(pid);
  rmSync(path, { recursive: true });
  process.kill(pid, 'SIGCONT');
}

const alive = (run: string): boolean => readRun(run).status!.state === 'running';
