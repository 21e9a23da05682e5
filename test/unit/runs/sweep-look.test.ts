import { spawn } from 'node:child_process';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { processRecord } from '../../../src/files/processes';
import { lookAtTrial, TrialLooker } from '../../../src/runs/sweep/look';
import { runPaths } from '../../../src/runs/layout';
import type { TrialRecord } from '../../../src/runs/sweep/record';
import type { NewEvent, RunStatus } from '../../../src/protocol/events';
import { evaluated, makeRun, setStatus, started } from '../extension/run-maker';
import { temporaryFolders } from './folder';

const folder = temporaryFolders();
const record: TrialRecord = { id: 't', number: 1, settings: {}, planned: true };

const run = (status?: Partial<RunStatus>, events?: NewEvent[], result?: Record<string, unknown>) =>
  makeRun(join(folder(), 'demo.aurora.json'), { status, events, result });
const look = (folder: string | undefined, over: Partial<TrialRecord> = {}) =>
  lookAtTrial({ ...record, ...over }, folder);

it('the state of a trial follows from its run folder', () => {
  expect(look(undefined).state).toBe('waiting');
  expect(look(folder()).state).toBe('waiting');
  expect(look(run()).state).toBe('waiting');
  expect(look(run({ step: 7 }, [started, evaluated(5, 0.5)]))).toMatchObject({ state: 'running', step: 7 });
  expect(look(run({ state: 'finished' }, [started], { steps: 12, peakMemory: 5 }))).toMatchObject({
    state: 'finished',
    step: 12,
    peakMemory: 5,
  });
  const stopped = run({ state: 'stopped' }, [started, { kind: 'stopped', step: 4, reason: 'rung' }]);
  expect(look(stopped)).toMatchObject({ state: 'stopped', reason: 'rung' });
  const failed: NewEvent = { kind: 'failed', step: 4, error: 'disk', message: 'Full.' };
  expect(look(run({ state: 'failed' }, [started, failed]))).toMatchObject({
    state: 'failed',
    error: { message: 'Full.' },
  });
});

it('a trainer is considered gone when its process is, not when only its heartbeat is old', async () => {
  const old = Date.now() - 3_600_000;
  // A process with this PID exists but started at another time.
  if (process.platform === 'linux') expect(look(run({ started: 1 }, [started])).state).toBe('lost');
  const mine = run();
  const trainer = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', mine], { stdio: 'ignore' });
  const ended = new Promise((done) => trainer.once('exit', done));
  try {
    const process = await processRecord(trainer.pid!);
    // Also if the machine has slept since it started.
    for (const at of [Date.now(), old])
      expect(look(mine, { launched: { ...process, at } }).state).toBe('starting');
    const reused = { ...process, started: process.started! - 1e6, at: Date.now() };
    expect(look(mine, { launched: reused }).state).toBe('waiting');
    setStatus(mine, { ...process, heartbeat: old, startedAt: old });
    expect(look(mine, { launched: { ...process, at: old } }).state).toBe('running');
  } finally {
    trainer.kill('SIGKILL');
    await ended;
  }
  expect(look(mine, { launched: { pid: trainer.pid!, at: Date.now() } }).state).toBe('lost');
});

it.runIf(process.platform === 'linux')('a trial is as it was while the disk is not responding', () => {
  const stopped = run({ state: 'stopped' }, [started, { kind: 'stopped', step: 4, reason: 'rung' }]);
  const looker = new TrialLooker();
  const before = looker.look(record, stopped);
  expect(before).toMatchObject({ state: 'stopped', reason: 'rung' });
  const { events } = runPaths(stopped);
  rmSync(events);
  // Reading it is an error of the system, EIO.
  symlinkSync('/proc/self/mem', events);
  expect(looker.look(record, stopped)).toEqual(before);
  expect(() => new TrialLooker().look(record, stopped)).toThrow(/EIO/);
  rmSync(events);
  writeFileSync(events, 'damaged\n');
  expect(looker.look(record, stopped)).toMatchObject({ state: 'failed' });
});
