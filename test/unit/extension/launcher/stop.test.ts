import { spawn } from 'node:child_process';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { ownerFile, parseOwner } from '../../../../src/files/fence';
import { claim } from '../../../../src/files/owner';
import { factsOf, processExists, groupIsThere, processRecord } from '../../../../src/files/processes';
import { STOP_TIMES, stopRun } from '../../../../src/executors/local/stop';
import { readStatus, writeStatus } from '../../../../src/runs/status';
import { LONG, Studio, stepOf } from './studio';
import { until } from '../../../until';

const studio = new Studio();
const window = studio.window();
afterAll(async () => {
  window.dispose();
  await studio.remove();
});

const quick = { ...STOP_TIMES, silent: 1500, terminated: 500, firstWord: 300 };

describe.skipIf(process.platform === 'win32')('stopping a run', () => {
  it('kills a suspended trainer and names the last checkpoint', async () => {
    const run = await studio.start(window, ...LONG);
    const { pid } = readStatus(run)!;
    await until(() => stepOf(run) > 12);
    process.kill(pid, 'SIGSTOP');
    const outcome = await stopRun(run, quick);
    expect(await groupIsThere(pid)).toBe(false);
    expect(outcome.state).toBe('killed');
    expect(outcome.savedStep! % 5).toBe(0);
    expect(outcome.message).toMatch(
      new RegExp(
        `terminated at step \\d+\\. Resume continues from step ${outcome.savedStep}, the last one saved`,
      ),
    );
    expect(readStatus(run)!.state).toBe('stopped');
    // A second call reports the same state without a signal.
    expect((await stopRun(run, quick)).state).toBe('stopped');
  });

  it("does not touch a process that reuses the trainer's PID", async () => {
    const [run] = studio.begun;
    const status = readStatus(run)!;
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    const pid = other.pid!;
    // This process starts long after the run's last heartbeat.
    writeStatus(run, { ...status, pid, state: 'running', heartbeat: Date.now() - 60_000 });
    const outcome = await stopRun(run, quick);
    expect(outcome.state).toBe('killed');
    expect(processExists(pid)).toBe(true);
    other.kill('SIGKILL');
  });

  it('sends no signal if the status names an invalid PID, this process or its parent', async () => {
    const [run] = studio.begun;
    const status = readStatus(run)!;
    for (const pid of [0, -1, 1, 1e300, -process.pid]) {
      writeStatus(run, { ...status, pid, state: 'running', heartbeat: Date.now() });
      expect((await stopRun(run, quick)).state).toBe('killed');
      expect(readStatus(run)!.state).toBe('stopped');
    }
    for (const pid of [NaN, String(process.pid)]) {
      writeStatus(run, { ...status, pid: pid as number, state: 'running', heartbeat: Date.now() });
      await expect(stopRun(run, quick)).rejects.toThrow("is not a run's status");
    }
    const silent = { ...quick, silent: 300, terminated: 100, killed: 100 };
    for (const pid of [process.pid, process.ppid]) {
      writeStatus(run, { ...status, ...(await processRecord(pid)), state: 'running', heartbeat: Date.now() });
      await expect(stopRun(run, silent)).rejects.toThrow('could not be terminated');
      expect(processExists(pid)).toBe(true);
    }
    writeStatus(run, status);
  });

  it('does not write the status of a run that another process owns now', async () => {
    const [run] = studio.begun;
    const status = readStatus(run)!;
    const got = await claim(run);
    if (!('owner' in got)) throw new Error('The run has an owner.');
    const { nonce, release } = got.owner;
    // The new owner has not written a status yet, so the previous trainer's is still there.
    writeStatus(run, { ...status, state: 'running', heartbeat: Date.now() });
    expect((await stopRun(run, quick)).state).toBe('killed');
    expect(readStatus(run)!.state).toBe('running');
    expect(parseOwner(readFileSync(ownerFile(run)))).toMatchObject({ nonce });
    release();
    expect((await stopRun(run, quick)).state).toBe('killed');
    expect(readStatus(run)!.state).toBe('stopped');
    expect(existsSync(ownerFile(run))).toBe(false);
    writeStatus(run, status);
  });

  it('only requests a stop of a trainer on another machine', async () => {
    const [run] = studio.begun;
    const status = readStatus(run)!;
    const host = `not-${hostname()}`;
    const away = { pid: process.pid, host, boot: 'another' };
    writeStatus(run, { ...status, ...away, state: 'running', heartbeat: Date.now() });
    await expect(stopRun(run, { ...quick, asked: 300 })).rejects.toThrow(
      `on ${host} (process ${process.pid})`,
    );
    expect(readFileSync(join(run, 'control', 'stop'), 'utf8')).toBe('');
    expect(readStatus(run)!.state).toBe('running');
    writeStatus(run, status);
  });

  it('reports a run without a trainer', async () => {
    const empty = studio.folder('empty');
    await expect(stopRun(empty, quick)).rejects.toThrow('No trainer is running');
    rmSync(empty, { recursive: true });
  });
});

it('the start time of a process is known to within a few seconds', async () => {
  const began = Date.now() - process.uptime() * 1000;
  expect(Math.abs((await factsOf(process.pid)).began!()! - began)).toBeLessThan(3000);
});
