import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { ownerFile } from '../../src/files/fence';
import { runPaths } from '../../src/runs/layout';
import { trialOf } from '../../src/runs/sweep/record';
import { readRun } from '../read-run';
import { CLI, Lab, type Outcome } from './lab';
import { bits, runOf, writeTask } from './task';
import { until } from '../until';

const lab = new Lab({ training: { epochs: 4, evaluateEvery: 10, checkpointEvery: 5 } });
const long = new Lab({ training: { epochs: 100000, evaluateEvery: 100000, checkpointEvery: 3 } });
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
});
afterAll(() => {
  lab.remove();
  long.remove();
});

const trial = (task: string): Outcome => lab.run('trial', task);

function start(task: string): { child: ChildProcess; exit: Promise<number | null> } {
  const log = openSync(`${task}.log`, 'a');
  const child = spawn(process.execPath, [CLI, 'trial', task], { stdio: ['ignore', log, log] });
  children.push(child);
  return { child, exit: new Promise((done) => child.once('exit', (code) => done(code))) };
}

const lines = (run: string) => readFileSync(runPaths(run).events, 'utf8');
const stopsOf = (run: string) => readRun(run).events.flatMap((e) => (e.kind === 'stopped' ? [e.reason] : []));

describe('a task of a cluster', () => {
  it('trains its trial like a local run, and does nothing when it is started again', async () => {
    const task = await writeTask(lab, 'whole');
    const run = runOf(lab, 'whole');
    expect(trial(task)).toMatchObject({ code: 0 });
    expect(readRun(run).result).toMatchObject({ outcome: 'finished', steps: 48 });
    expect(trialOf(run)).toMatchObject({ sweep: 'one', trial: 'whole', number: 1 });
    const out = lab.fresh('local');
    expect(lab.run('train', lab.experiment, '--out', out, '--threads', '1', '--device', 'cpu')).toMatchObject(
      {
        code: 0,
      },
    );
    expect(bits(run)).toEqual(bits(lab.runs(out)[0]));
    const before = lines(run);
    expect(trial(task)).toMatchObject({ code: 0 });
    expect(lines(run)).toBe(before);
    expect(existsSync(ownerFile(run))).toBe(false);
  });

  it.skipIf(process.platform === 'win32').each(['SIGTERM', 'SIGUSR2'] as const)(
    'saves on %s, even if it comes again, exits with 75, and is continued by the same task',
    async (signal) => {
      const name = `on-${signal}`;
      const task = await writeTask(long, name);
      const run = runOf(long, name);
      const { child, exit } = start(task);
      await until(() => existsSync(join(runPaths(run).checkpoints, 'step-000003')));
      for (let i = 0; i < 20; i++) child.kill(signal);
      expect(await exit).toBe(75);
      expect(stopsOf(run)).toEqual(['preempted']);
      const { step } = readRun(run).status!;
      expect(readdirSync(runPaths(run).checkpoints)).toContain(`step-${String(step).padStart(6, '0')}`);
      expect(existsSync(ownerFile(run))).toBe(false);
      const again = start(task);
      await until(() => lines(run).includes('"kind":"resumed"'));
      expect(readRun(run).events.findLast((e) => e.kind === 'resumed')).toMatchObject({ fromStep: step });
      mkdirSync(runPaths(run).control, { recursive: true });
      writeFileSync(join(runPaths(run).control, 'stop'), '');
      expect(await again.exit).toBe(130);
      expect(stopsOf(run)).toEqual(['preempted', 'requested']);
    },
  );

  it('that was preempted and continued has the same bits', async () => {
    const [task, whole] = [await writeTask(lab, 'cut'), await writeTask(lab, 'uncut')];
    const run = runOf(lab, 'cut');
    const codes: (number | null)[] = [];
    for (let at = 7; codes.at(-1) !== 0; at += 13) {
      const { child, exit } = start(task);
      const seen = readRunLength(run);
      await Promise.race([exit, until(() => readRunLength(run) > seen + at || child.exitCode !== null)]);
      child.kill('SIGTERM');
      codes.push(await exit);
      expect([0, 75]).toContain(codes.at(-1));
    }
    expect(codes).toContain(75);
    expect(trial(whole)).toMatchObject({ code: 0 });
    expect(bits(run)).toEqual(bits(runOf(lab, 'uncut')));
  });

  it('pauses at its comparison, and trains no further when it is started again', async () => {
    const task = await writeTask(lab, 'rung', { until: 'step:15' });
    const run = runOf(lab, 'rung');
    expect(trial(task)).toMatchObject({ code: 0 });
    expect(readRun(run)).toMatchObject({ status: { state: 'stopped', step: 20 } });
    const before = lines(run);
    expect(trial(task)).toMatchObject({ code: 0 });
    expect(lines(run)).toBe(before);
    // Killed before it could say so.
    const cut = before.trimEnd().split('\n').slice(0, -1);
    writeFileSync(runPaths(run).events, `${cut.join('\n')}\n`);
    expect(trial(task)).toMatchObject({ code: 0 });
    expect(stopsOf(run)).toEqual(['rung']);
    expect(readRun(run).status).toMatchObject({ state: 'stopped', step: 20 });
    await writeTask(lab, 'rung');
    expect(trial(task)).toMatchObject({ code: 0 });
    expect(bits(run)).toEqual(bits(runOf(lab, 'uncut')));
  });

  it('is refused while another process trains the run, and touches nothing', async () => {
    const task = await writeTask(long, 'twice');
    const run = runOf(long, 'twice');
    const { child } = start(task);
    await until(() => existsSync(join(runPaths(run).checkpoints, 'step-000003')));
    const r = trial(task);
    expect([r.code, r.err]).toEqual([
      24,
      expect.stringContaining(`is owned by process ${child.pid} on`) as string,
    ]);
    expect(readRun(run).status!.state).toBe('running');
    expect(lines(run)).not.toContain('resumed');
  });

  it('names what is wrong with its file, its folder and its inputs', async () => {
    lab.write('tasks/odd.json', '{"version": 1}');
    expect(trial(lab.path('tasks/odd.json'))).toMatchObject({
      code: 20,
      err: expect.stringContaining('is not a task of this version') as string,
    });
    const other = await writeTask(lab, 'other', { run: runOf(lab, 'whole') });
    writeFileSync(runPaths(runOf(lab, 'whole')).result, 'null');
    expect(trial(other)).toMatchObject({ code: 20 });
    const files = [{ role: 'train' as const, path: lab.path('train.jsonl'), size: 1, sha256: 'another' }];
    const changed = await writeTask(lab, 'changed', { inputs: files });
    expect(trial(changed)).toMatchObject({ code: 25 });
    expect(readRun(runOf(lab, 'changed')).events.at(-1)).toMatchObject({ kind: 'failed', error: 'inputs' });
  });
});

/** Bytes of the curve so far. */
const readRunLength = (run: string): number =>
  existsSync(runPaths(run).scalars) ? readFileSync(runPaths(run).scalars).length / 64 : 0;
