import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { ownerFile, parseOwner, type OwnerRecord } from '../../src/files/fence';
import { isTemporary } from '../../src/files/temporary';
import { runPaths } from '../../src/runs/layout';
import { readRun } from '../read-run';
import { readStatus, writeStatus } from '../../src/runs/status';
import { SCALAR_COLUMNS } from '../../src/protocol/events';
import { readSweep } from '../../src/runs/sweep/record';
import { lookAtTrial } from '../../src/runs/sweep/look';
import { CLI, Lab, suspend } from './lab';
import { until } from '../until';

const lab = new Lab({ training: { epochs: 8, evaluateEvery: 20, checkpointEvery: 3 } });
const LONG = ['--set', 'training.epochs=100000', '--set', 'training.evaluateEvery=100000'];
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) await end(child);
});
afterAll(() => lab.remove());

/** Starts the built CLI in a separate process with its output in a file. */
function start(log: string, ...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [CLI, 'train', ...args], {
    stdio: ['ignore', 'ignore', openSync(lab.path(log), 'w')],
  });
  children.push(child);
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

const exit = (child: ChildProcess) =>
  new Promise<number | null>((done) =>
    child.exitCode !== null ? done(child.exitCode) : child.once('exit', (code) => done(code)),
  );

/** A run that trains for an hour, at its first checkpoint. */
async function training(name: string): Promise<{ child: ChildProcess; run: string }> {
  const out = lab.fresh(name);
  const child = start(`${name}.log`, lab.experiment, '--out', out, ...LONG);
  await until(() => lab.begun(out, 'checkpoints/step-000003'));
  return { child, run: lab.runs(out)[0] };
}

/** Suspends it while it writes no file, because a partial one would be finished or removed later. */
async function halt({ child, run }: { child: ChildProcess; run: string }): Promise<void> {
  const writing = () =>
    readdirSync(run, { recursive: true, encoding: 'utf8' }).some((name) => isTemporary(basename(name)));
  for (await suspend(child.pid!); writing(); await suspend(child.pid!)) {
    child.kill('SIGCONT');
    await wait(10);
  }
}

/** Everything in a folder, as hashes of the contents. */
function contents(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  );
  return Object.fromEntries(
    files.sort().map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex'),
    ]),
  );
}

const ownerOf = (run: string): OwnerRecord => parseOwner(readFileSync(ownerFile(run)))!;
const giveTo = (run: string, owner: object) =>
  writeFileSync(ownerFile(run), JSON.stringify({ ...ownerOf(run), nonce: 'another', ...owner }));
const ELSEWHERE = { host: 'another-host', boot: 'another', pid: 4242 };
/** The bytes appended to a file since it had this content. */
function addedTo(path: string, held: Buffer): Buffer {
  const now = readFileSync(path);
  expect(now.subarray(0, held.length).equals(held)).toBe(true);
  return now.subarray(held.length);
}
const hasScript = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;
const resumed = (run: string) => readRun(run).events.filter((e) => e.kind === 'resumed').length;

describe.skipIf(process.platform === 'win32')('a run', () => {
  it('with a suspended trainer cannot be started again, however old its heartbeat, until the trainer is killed', async () => {
    const { child, run } = await training('halted');
    await halt({ child, run });
    expect(ownerOf(run).nonce).toBe(readStatus(run)!.nonce);
    const hour = Date.now() - 3_600_000;
    writeStatus(run, { ...readStatus(run)!, heartbeat: hour });
    const before = contents(run);
    for (const more of [[], ['--take-over']]) {
      const r = lab.run('train', '--resume', run, ...more);
      expect([r.code, r.err]).toEqual([
        20,
        expect.stringMatching(
          new RegExp(`is still being trained by process ${child.pid} on .+\\n {7}Stop that`),
        ),
      ]);
    }
    expect(contents(run)).toEqual(before);
    await end(child);
    const again = start('halted-again.log', '--resume', run);
    await until(() => resumed(run) === 1);
    again.kill('SIGTERM');
    expect(await exit(again)).toBe(130);
    expect(existsSync(ownerFile(run))).toBe(false);
    const writers = readRun(run).events.map((e) => e.w);
    expect(new Set(writers).size).toBe(2);
  });

  it('is resumed by exactly one of several competing processes', async () => {
    const { child, run } = await training('raced');
    await end(child);
    const all = Array.from({ length: 3 }, (_, i) => start(`raced-${i}.log`, '--resume', run));
    await until(() => all.filter((c) => c.exitCode === 20).length === 2);
    const winner = all.find((c) => c.exitCode === null)!;
    await until(() => resumed(run) === 1 && readStatus(run)!.pid === winner.pid);
    for (const [i, c] of all.entries())
      if (c !== winner)
        expect(readFileSync(lab.path(`raced-${i}.log`), 'utf8')).toContain(
          `is still being trained by process ${winner.pid} on`,
        );
    winner.kill('SIGTERM');
    expect(await exit(winner)).toBe(130);
    expect(resumed(run)).toBe(1);
  });

  it('that was taken over is written only by its new owner', async () => {
    const { child, run } = await training('fenced');
    await halt({ child, run });
    giveTo(run, ELSEWHERE);
    const before = contents(run);
    const { events, scalars } = runPaths(run);
    const [lines, records] = [events, scalars].map((path) => readFileSync(path));
    child.kill('SIGCONT');
    expect(await exit(child)).toBe(24);
    // It may have been suspended between checking its owner and a single write, which it then finishes.
    const after = contents(run);
    const changed = Object.keys({ ...before, ...after }).filter((name) => before[name] !== after[name]);
    const [newLines, newRecords] = [addedTo(events, lines), addedTo(scalars, records)];
    const appended = [
      ...(newLines.length ? ['events.jsonl'] : []),
      ...(newRecords.length ? ['scalars.bin'] : []),
    ];
    expect(changed).toEqual(appended);
    expect(newLines.toString('utf8').split('\n').length).toBeLessThanOrEqual(2);
    expect(newRecords.length).toBeLessThanOrEqual(SCALAR_COLUMNS.length * 8);
    expect(changed.length).toBeLessThanOrEqual(1);
    expect(readFileSync(lab.path('fenced.log'), 'utf8')).toMatch(
      /error: Process 4242 on another-host has taken over .+\n {7}This process has stopped/,
    );
  });

  it('of another machine is not touched until a person or a scheduler decides', async () => {
    const { child, run } = await training('elsewhere');
    await end(child);
    giveTo(run, ELSEWHERE);
    const before = contents(run);
    const refused = lab.run('train', '--resume', run);
    expect([refused.code, refused.err]).toEqual([
      24,
      expect.stringMatching(
        /is owned by process 4242 on another-host, and this machine cannot tell .+\n {7}Make sure/,
      ),
    ]);
    expect(contents(run)).toEqual(before);
    const job = { SLURM_JOB_ID: '12' };
    const copies = ['asked', 'told', 'slurm'].map((name) => {
      const copy = lab.fresh(name);
      cpSync(run, copy, { recursive: true });
      return copy;
    });
    giveTo(copies[2], { ...ELSEWHERE, job: { id: 'slurm::12', restarts: 0 } });
    const env = { ...process.env, ...job, SLURM_RESTART_COUNT: '1' };
    const word = (at: string, ...more: string[]) => [CLI, 'train', '--resume', at, ...more];
    const started = [
      // A user at a terminal answers yes.
      ...(hasScript
        ? [
            {
              run: copies[0],
              args: ['script', '-qec', [process.execPath, ...word(copies[0])].join(' '), '/dev/null'],
            },
          ]
        : []),
      { run: copies[1], args: [process.execPath, ...word(copies[1], '--take-over')] },
      { run: copies[2], args: [process.execPath, ...word(copies[2])] },
    ];
    for (const { run, args } of started) {
      const log = openSync(`${run}.log`, 'w');
      const child = spawn(args[0], args.slice(1), { stdio: ['pipe', log, log], env });
      children.push(child);
      if (args[0] === 'script') {
        await until(() => readFileSync(`${run}.log`, 'utf8').includes('[y/N]'));
        child.stdin!.write('y\n');
      }
      await until(() => resumed(run) === 1);
      const { pid } = ownerOf(run);
      process.kill(pid, 'SIGTERM');
      await exit(child);
      expect(readStatus(run)!.state).toBe('stopped');
      expect(existsSync(ownerFile(run))).toBe(false);
    }
  });

  it('killed between its result and its end counts as finished and is completed by the next owner', () => {
    const out = lab.fresh('killed-late');
    expect(lab.run('train', lab.experiment, '--out', out).code).toBe(0);
    const [run] = lab.runs(out);
    const { events } = runPaths(run);
    const lines = readFileSync(events, 'utf8').trimEnd().split('\n');
    expect(lines.at(-1)).toContain('"kind":"finished"');
    writeFileSync(events, `${lines.slice(0, -1).join('\n')}\n`);
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    writeStatus(run, { ...readStatus(run)!, state: 'running', pid, heartbeat: Date.now() });
    const look = () => lookAtTrial({ id: 't', number: 1, settings: {}, planned: true }, run);
    expect(look()).toMatchObject({ state: 'finished', step: 96 });
    const r = lab.run('train', '--resume', run);
    expect([r.code, r.err]).toEqual([20, expect.stringContaining(`${run} has finished.`)]);
    expect(readStatus(run)).toMatchObject({ state: 'finished', step: 96 });
    const before = JSON.parse(lines.at(-1)!) as Record<string, unknown>;
    const { kind, step, best, last } = before;
    expect(readRun(run).events.at(-1)).toMatchObject({ kind, step, best, last });
    expect(readdirSync(run)).not.toContain('owner.json');
    rmSync(run, { recursive: true });
  });
});

describe('a trial of a sweep that a process on another machine owns', () => {
  const HOUR = Date.now() - 3_600_000;

  /** A sweep with all trials trained, the first of which seems to be owned by another machine. */
  function sweptWith(owner: object) {
    const sweep = { type: 'list', trials: [{ 'training.seed': 1 }, { 'training.seed': 2 }] };
    const swept = new Lab({
      training: { epochs: 1, maxSteps: 6, evaluateEvery: 3, checkpointEvery: 3 },
      sweep,
    });
    const words = ['sweep', swept.experiment, '--parallel', '1', '--device', 'cpu'];
    expect(swept.run(...words).code).toBe(0);
    const sweeps = swept.path('.aurora/sweeps/tiny');
    const folder = join(sweeps, readdirSync(sweeps)[0]);
    const runs = readSweep(folder)!.trials.map((t) => swept.path(join('.aurora/runs/tiny', t.run!)));
    const give = (run: string, to: object) => {
      const { events, result } = runPaths(run);
      rmSync(result);
      const lines = readFileSync(events, 'utf8').trimEnd().split('\n');
      writeFileSync(events, `${lines.slice(0, -1).join('\n')}\n`);
      const owner = { ...to, nonce: 'another', at: HOUR };
      writeFileSync(ownerFile(run), JSON.stringify(owner));
      writeStatus(run, { ...readStatus(run)!, ...owner, state: 'running', heartbeat: HOUR });
    };
    give(runs[0], owner);
    return { swept, words, folder, runs, give };
  }

  it('is reported and not touched, and is taken over on request', () => {
    const { swept, words, folder, runs } = sweptWith(ELSEWHERE);
    const [run] = runs;
    const before = contents(run);
    const { launched } = readSweep(folder)!.trials[0];
    const r = swept.run(...words);
    expect([r.code, r.out]).toEqual([
      24,
      expect.stringMatching(
        /#1 .+ was skipped: it is owned by process 4242 on another-host.*\n.*--take-over/,
      ),
    ]);
    expect(r.out).not.toMatch(/^#1 .*failed:/m);
    expect(contents(run)).toEqual(before);
    expect(readSweep(folder)!.trials[0].launched).toEqual(launched);
    expect(readSweep(folder)!.ended).toEqual({
      kind: 'owned',
      message: expect.stringMatching(/^#1 .+ was skipped: it is owned by process 4242/) as string,
    });
    expect(swept.run(...words, '--take-over').code).toBe(0);
    expect(readSweep(folder)!.ended).toBeUndefined();
    expect(readRun(run).result).toMatchObject({ outcome: 'finished', steps: 6 });
    swept.remove();
  });

  it.runIf(hasScript)(
    'is taken over with its sweep if the user agrees, but not one of a third machine',
    async () => {
      const { swept, words, folder, runs, give } = sweptWith(ELSEWHERE);
      give(runs[1], { ...ELSEWHERE, host: 'third-host' });
      writeFileSync(ownerFile(folder), JSON.stringify({ ...ELSEWHERE, nonce: 'another', at: HOUR }));
      const before = contents(runs[1]);
      const log = swept.path('terminal.log');
      const out = openSync(log, 'w');
      const command = [process.execPath, CLI, ...words].join(' ');
      const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', out, out] });
      children.push(child);
      const ended = exit(child);
      await until(() => readFileSync(log, 'utf8').includes('[y/N]'));
      child.stdin!.write('y\n');
      expect(await ended).toBe(24);
      const said = readFileSync(log, 'utf8');
      expect(said).toContain('Have that process and the trainers of its trials ended');
      expect(said).toMatch(/#2 .+ was skipped: it is owned by process 4242 on third-host/);
      expect(readRun(runs[0]).result).toMatchObject({ outcome: 'finished', steps: 6 });
      expect(contents(runs[1])).toEqual(before);
      swept.remove();
    },
  );
});
