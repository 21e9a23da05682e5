import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { ownerFile, parseOwner } from '../../src/files/fence';
import { runPaths } from '../../src/runs/layout';
import { checkpointSteps } from '../../src/training/checkpoint/checkpoint-store';
import { readRun } from '../read-run';
import { CLI, Lab, suspend } from './lab';
import { bits, runOf, writeTask } from './task';
import { until } from '../until';

const ABOVE = { targetModules: ['query', 'value'], layersToTransform: [1] };
const lab = new Lab({ training: { epochs: 6, evaluateEvery: 10, checkpointEvery: 3 }, adapter: ABOVE });
const long = new Lab({ training: { epochs: 100000, evaluateEvery: 100000, checkpointEvery: 3 } });
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) await kill(child);
});
afterAll(() => {
  lab.remove();
  long.remove();
});

async function kill(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

interface Start {
  host: string;
  job?: string;
  restarts?: number;
  stale?: 'error' | 'content';
  root?: string;
  /** Renames to this path fail with these codes, one each. */
  failing?: { pattern: string; codes: string[] };
}

/** A task of a job on a node of a cluster, which sees what others change on the disk half a second late. */
function start(
  task: string,
  { host, job = '7', restarts = 0, stale = 'error', root = lab.folder, failing }: Start,
) {
  const log = openSync(`${task}.${host}.log`, 'a');
  const args = ['--require', resolve('test/shared-disk.cjs'), CLI, 'trial', task];
  const env = {
    ...process.env,
    AURORA_TEST_DISK: JSON.stringify({ root, host, lateMs: 500, stale, failing }),
    SLURM_JOB_ID: job,
    SLURM_CLUSTER_NAME: 'c',
    SLURM_RESTART_COUNT: String(restarts),
  };
  const child = spawn(process.execPath, args, { stdio: ['ignore', log, log], env });
  children.push(child);
  const exit = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  return { child, exit, said: () => readFileSync(`${task}.${host}.log`, 'utf8') };
}

/** A name that no run has yet, even if the test is retried. */
let named = 0;
const fresh = (name: string): string => `${name}-${named++}`;

const ownerOf = (run: string) =>
  existsSync(ownerFile(run)) ? parseOwner(readFileSync(ownerFile(run))) : undefined;
const saved = (run: string, step: number) =>
  existsSync(join(runPaths(run).checkpoints, `step-${String(step).padStart(6, '0')}`));

const lastSaved = (run: string): number => checkpointSteps(run).at(-1) ?? 0;
const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

/** The bits of a run that nothing interrupts, on this machine alone. */
const whole = (() => {
  let found: string[] | undefined;
  return () => {
    if (found) return found;
    const out = lab.fresh('whole');
    const r = lab.run('train', lab.experiment, '--out', out, '--threads', '1', '--device', 'cpu');
    expect(r.code).toBe(0);
    return (found = bits(lab.runs(out)[0]));
  };
})();

/** Every line is the one owner's, and every record of the curve is there once. */
function expectWhole(run: string): void {
  const { events, result, status, scalars } = readRun(run);
  const warnings = events.flatMap((e) => (e.kind === 'warning' ? [e.message] : []));
  expect(warnings.filter((message) => !message.includes('are truncated'))).toEqual([]);
  expect([result?.outcome, status?.state]).toEqual(['finished', 'finished']);
  expect([...scalars.column('step')!]).toEqual(Array.from({ length: 72 }, (_, i) => i + 1));
  expect(bits(run)).toEqual(whole());
  expect(existsSync(ownerFile(run))).toBe(false);
}

/** Reproducible, and different for each of the starts. */
const random = (() => {
  let state = 20;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
})();

describe.skipIf(process.platform === 'win32')('on a disk that nodes share', () => {
  it('a task that is killed at any moment, and started again on another node, gives the same bits', async () => {
    const name = fresh('killed');
    const task = await writeTask(lab, name, { frozen: lab.path(`frozen-${name}`) });
    const run = runOf(lab, name);
    let code: number | null = 1;
    for (let restarts = 0; code !== 0; restarts++) {
      const { child, exit } = start(task, { host: restarts % 3 ? 'a' : 'b', restarts });
      if (restarts < 8) {
        const goal = lastSaved(run) + 3 * Math.floor(3 * random());
        // Before it owns the run, a kill is the same each time.
        await until(() => hasEnded(child) || ownerOf(run)?.pid === child.pid);
        await until(() => hasEnded(child) || lastSaved(run) >= goal);
        await wait(random() * 20);
        child.kill(restarts % 4 === 3 ? 'SIGTERM' : 'SIGKILL');
      }
      code = await exit;
      expect([0, 75, null]).toContain(code);
    }
    expect(readRun(run).events.filter((e) => e.kind === 'resumed').length).toBeGreaterThan(1);
    expectWhole(run);
  });

  it.each(['error', 'content'] as const)(
    'a trainer whose job was restarted elsewhere while it was suspended writes nothing more (%s)',
    async (stale) => {
      const name = fresh(`suspended-${stale}`);
      const task = await writeTask(lab, name);
      const run = runOf(lab, name);
      const first = start(task, { host: 'a', stale });
      await until(() => saved(run, 3));
      await suspend(first.child.pid!);
      const second = start(task, { host: 'b', restarts: 1, stale });
      await until(() => saved(run, 30));
      first.child.kill('SIGCONT');
      expect(await first.exit).toBe(24);
      expect(first.said()).toMatch(/on b has taken over/);
      expect(await second.exit).toBe(0);
      expectWhole(run);
    },
  );

  it('a trainer whose job was restarted while it ran leaves the run to the other one', async () => {
    const name = fresh('twice');
    const task = await writeTask(lab, name);
    const run = runOf(lab, name);
    const first = start(task, { host: 'a' });
    await until(() => saved(run, 6));
    await suspend(first.child.pid!);
    const second = start(task, { host: 'b', restarts: 1 });
    await until(() => ownerOf(run)?.host === 'b');
    first.child.kill('SIGCONT');
    expect(await first.exit).toBe(24);
    expect(await second.exit).toBe(0);
    expect(readRun(run).result).toMatchObject({ outcome: 'finished' });
    expect(bits(run)).toEqual(whole());
  });

  it('another job is refused while the trainer of the first one shows signs of life', async () => {
    const name = fresh('alive');
    const task = await writeTask(long, name);
    const run = runOf(long, name);
    const first = start(task, { host: 'a', root: long.folder });
    await until(() => saved(run, 3));
    const owner = ownerOf(run);
    const second = start(task, { host: 'b', job: '8', root: long.folder });
    expect(await second.exit).toBe(24);
    expect(second.said()).toMatch(/is owned by process \d+ on a \(job slurm:c:7\)/);
    expect(ownerOf(run)).toEqual(owner);
    first.child.kill('SIGUSR2');
    expect(await first.exit).toBe(75);
    expect(readRun(run).events.filter((e) => e.kind === 'resumed')).toEqual([]);
  });

  it('a disk that fails for a while does not end a trial', async () => {
    const name = fresh('failing');
    const task = await writeTask(lab, name);
    const run = runOf(lab, name);
    const failing = { pattern: 'checkpoints/step-000009$', codes: ['ESTALE'] };
    const { exit, said } = start(task, { host: 'a', failing });
    expect(await exit).toBe(0);
    expect(said()).toMatch(/could not be written \(ESTALE\)\. Trying again in 1 s\./);
    expectWhole(run);
  });

  it('trials that start at once on several nodes share what they all compute', async () => {
    const names = ['one', 'two', 'three'].map(fresh);
    const frozen = lab.fresh('frozen');
    const tasks = await Promise.all(names.map((name) => writeTask(lab, name, { frozen })));
    const all = tasks.map((task, i) => start(task, { host: `node-${i}`, job: String(10 + i) }));
    expect(await Promise.all(all.map(({ exit }) => exit))).toEqual([0, 0, 0]);
    for (const name of names) {
      expect(readRun(runOf(lab, name)).events.some((e) => e.kind === 'reused')).toBe(true);
      expectWhole(runOf(lab, name));
    }
    expect(readdirSync(frozen)).toEqual([expect.stringMatching(/^[0-9a-f]{16}\.frozen$/)]);
  });
});
