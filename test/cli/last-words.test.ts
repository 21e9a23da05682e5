import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { journalEvents } from '../../src/runs/journal/journal-reader';
import { runPaths } from '../../src/runs/layout';
import { readRun } from '../read-run';
import { readStatus } from '../../src/runs/status';
import { EXIT } from '../../src/base/errors';
import { checkpointSteps } from '../../src/training/checkpoint/checkpoint-store';
import { CLI, Lab, suspend } from './lab';

const labs: Lab[] = [];
afterAll(() => labs.forEach((l) => l.remove()));

interface Training {
  lab: Lab;
  run: string;
  /** Changes the run's folder while the trainer is suspended. */
  meanwhile(action: () => void): Promise<void>;
  ask(): void;
  end(): Promise<[code: number | null, words: string]>;
}

/** Starts a run and waits until it has saved a step. */
async function training(): Promise<Training> {
  const lab = new Lab({ training: { epochs: 1_000_000, evaluateEvery: 20, checkpointEvery: 6 } });
  labs.push(lab);
  const log = lab.path('log');
  const runs = lab.path('.aurora/runs/tiny');
  const child = spawn(process.execPath, [CLI, 'train', lab.experiment], {
    stdio: ['ignore', 'ignore', openSync(log, 'w')],
  });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const made = () => (existsSync(runs) ? readdirSync(runs) : []);
  const begun = () => made().some((name) => checkpointSteps(join(runs, name)).length > 0);
  for (let i = 0; i < 6000 && !begun(); i++) await wait(5);
  expect(begun()).toBe(true);
  const pid = child.pid!;
  return {
    lab,
    run: join(runs, made()[0]),
    async meanwhile(action) {
      await suspend(pid);
      action();
      process.kill(pid, 'SIGCONT');
    },
    ask: () => void child.kill('SIGTERM'),
    end: async () => [await exit, readFileSync(log, 'utf8')],
  };
}

const eventsOf = (run: string) =>
  journalEvents(readFileSync(runPaths(run).events), runPaths(run).events).filter((e) => e.kind !== 'warning');

describe.skipIf(process.platform === 'win32')('a run that cannot be saved', () => {
  it('elsewhere after losing its journal is not left as running', async () => {
    const { lab, run, meanwhile, end } = await training();
    await meanwhile(() => {
      rmSync(runPaths(run).events);
      writeFileSync(lab.path('.aurora/recovered'), '');
    });
    const [code, words] = await end();
    expect([code, words]).toEqual([EXIT.disk, expect.stringContaining('recovered')]);
    expect(words).toContain(`events.jsonl of the run ${run} was moved, removed or replaced`);
    expect(readStatus(run)).toMatchObject({ state: 'failed' });
    expect(existsSync(runPaths(run).events)).toBe(false);
  });

  it('anywhere after losing its folder ends with the error', async () => {
    const { lab, run, meanwhile, end } = await training();
    await meanwhile(() => {
      rmSync(run, { recursive: true });
      writeFileSync(lab.path('.aurora/recovered'), '');
    });
    const [code, words] = await end();
    expect([code, words]).toEqual([EXIT.disk, expect.stringContaining('Its state could not be saved')]);
    expect(existsSync(run)).toBe(false);
  });

  it('in the new place of its folder is not left as running either', async () => {
    const { lab, run, meanwhile, end } = await training();
    const moved = lab.path('moved');
    await meanwhile(() => {
      renameSync(run, moved);
      rmSync(runPaths(moved).checkpoints, { recursive: true });
      writeFileSync(runPaths(moved).checkpoints, '');
    });
    const [code, words] = await end();
    expect([code, words]).toEqual([EXIT.disk, expect.stringContaining('Its state could not be saved')]);
    expect(readStatus(moved)).toMatchObject({ state: 'failed' });
    expect(eventsOf(moved).at(-1)).toMatchObject({ kind: 'failed', error: 'disk' });
    expect(existsSync(run)).toBe(false);
  });
});

describe.skipIf(process.platform === 'win32')('the journal of a run', () => {
  it('saved elsewhere names no checkpoint that the run does not have', async () => {
    const { lab, run, meanwhile, end } = await training();
    await meanwhile(() => rmSync(runPaths(run).scalars));
    expect((await end())[0]).toBe(EXIT.lost);
    const steps = (folder: string) =>
      eventsOf(folder).flatMap((e) => (e.kind === 'checkpoint' ? e.step : []));
    const [copy] = lab.runs(lab.path('.aurora/recovered'));
    expect(steps(copy).at(-1)).toBe(checkpointSteps(copy).at(-1));
    expect(steps(run).at(-1)).toBeLessThanOrEqual(checkpointSteps(run).at(-1)!);
    for (const folder of [run, copy]) {
      expect(readRun(folder).status).toMatchObject({ state: 'failed' });
      expect(eventsOf(folder).at(-1)).toMatchObject({ kind: 'failed', error: 'lost' });
    }
  });

  it('ends with how the run ended, even if the last status cannot be written', async () => {
    const { run, meanwhile, ask, end } = await training();
    await meanwhile(() => {
      rmSync(runPaths(run).status);
      mkdirSync(runPaths(run).status);
    });
    ask();
    const [code, words] = await end();
    expect([code, words]).toEqual([EXIT.disk, expect.stringContaining('status.json')]);
    expect(eventsOf(run).at(-1)).toMatchObject({ kind: 'stopped', reason: 'requested' });
  });
});
