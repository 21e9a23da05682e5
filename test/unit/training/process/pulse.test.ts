import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Preparing } from '../../../../src/protocol/preparing';
import { runPaths } from '../../../../src/runs/layout';
import { readStatus } from '../../../../src/runs/status';
import { Pulse } from '../../../../src/training/process/pulse';

const SOURCE = resolve(import.meta.dirname, '../../../../src/training/process');
const soon = { timeout: 900_000, interval: 50 };
let programs: string;
let worker: string;
let run: string;
let pulse: Pulse | undefined;

/** A trainer with a thread that hangs in a step, like a runtime that never returns. */
const HANGING = `
  import { Pulse } from './pulse';
  Pulse.start(process.argv[2], process.argv[3], { stopTimeout: 500 }).progress(7, 9);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
`;

beforeAll(async () => {
  programs = mkdtempSync(join(tmpdir(), 'aurora-pulse-'));
  worker = join(programs, 'pulse-worker.cjs');
  const options = { bundle: true, platform: 'node', format: 'cjs' } as const;
  await build({ ...options, entryPoints: [join(SOURCE, 'pulse-worker.ts')], outfile: worker });
  const stdin = { contents: HANGING, resolveDir: SOURCE, loader: 'ts' } as const;
  await build({ ...options, stdin, outfile: join(programs, 'hanging.cjs') });
});
afterAll(() => rmSync(programs, { recursive: true, force: true }));
beforeEach(() => {
  run = mkdtempSync(join(tmpdir(), 'aurora-run-'));
});
afterEach(async () => {
  await pulse?.end('stopped');
  pulse = undefined;
  rmSync(run, { recursive: true, force: true });
});

function request(name: string): void {
  mkdirSync(runPaths(run).control, { recursive: true });
  writeFileSync(join(runPaths(run).control, name), '');
}
const requests = () => readdirSync(runPaths(run).control);

describe('the heartbeat of a trainer', () => {
  it('says what is done before the first step, until then', async () => {
    pulse = Pulse.start(run, worker);
    const stages: Preparing[] = [
      { doing: 'reading', file: 'train.jsonl', percent: 43 },
      { doing: 'tokenizing', file: 'train.jsonl', done: 256, of: 900 },
      { doing: 'opening' },
    ];
    for (const stage of stages) {
      pulse.preparing(stage);
      await vi.waitFor(() => expect(readStatus(run)!.preparing).toEqual(stage), soon);
    }
    pulse.preparing(undefined);
    await vi.waitFor(() => expect(readStatus(run)).not.toHaveProperty('preparing'), soon);
  });

  it('continues with the current step while the training thread is blocked', () => {
    pulse = Pulse.start(run, worker);
    const first = readStatus(run)!;
    expect(first).toMatchObject({ pid: process.pid, state: 'running', step: 0 });
    pulse.progress(3, 10);
    const blocked = new Int32Array(new SharedArrayBuffer(4));
    // This thread's event loop does not run during the wait.
    let later = first;
    for (let i = 0; i < 300 && later.heartbeat - first.heartbeat <= 900; i++) {
      Atomics.wait(blocked, 0, 0, 100);
      later = readStatus(run)!;
    }
    expect(later).toMatchObject({ nonce: first.nonce, step: 3, steps: 10, startedAt: first.startedAt });
    expect(later.heartbeat - first.heartbeat).toBeGreaterThan(900);
  });

  it('takes each request once and removes its file', async () => {
    pulse = Pulse.start(run, worker);
    expect(pulse.stopRequested()).toBeUndefined();
    request('checkpoint');
    await vi.waitUntil(() => pulse!.checkpointRequested(), soon);
    expect(pulse.checkpointRequested()).toBe(false);
    expect(pulse.stopRequested()).toBeUndefined();
    request('stop');
    await vi.waitUntil(() => pulse!.stopRequested(), soon);
    expect(pulse.stopRequested()).toBe('requested');
    expect(requests()).toEqual([]);
  });

  it('ignores a request from before its start', async () => {
    request('stop');
    pulse = Pulse.start(run, worker);
    request('checkpoint');
    await vi.waitUntil(() => pulse!.checkpointRequested(), soon);
    expect(pulse.stopRequested()).toBeUndefined();
  });

  it('stops the run if its lease is not renewed', async () => {
    // Much longer than one renewal interval, and shorter than all of them together.
    pulse = Pulse.start(run, worker, { lease: 4000 });
    // The first lease lasts as long as any other.
    await wait(700);
    for (let i = 0; i < 10; i++) {
      request('lease');
      await wait(400);
      expect(pulse.stopRequested()).toBeUndefined();
    }
    await vi.waitUntil(() => pulse!.stopRequested(), soon);
    expect(pulse.stopRequested()).toBe('window-closed');
    expect(requests()).toEqual(['lease']);
  });

  it('stops the run if its lease was never renewed', async () => {
    pulse = Pulse.start(run, worker, { lease: 600 });
    const began = Date.now();
    await vi.waitUntil(() => pulse!.stopRequested() === 'window-closed', soon);
    expect(Date.now() - began).toBeGreaterThan(500);
  });

  it('keeps the run alive without a lease', async () => {
    pulse = Pulse.start(run, worker);
    request('lease');
    await wait(1500);
    expect(pulse.stopRequested()).toBeUndefined();
  });

  it('ends with the final status and leaves no temporary file', async () => {
    pulse = Pulse.start(run, worker);
    pulse.progress(10, 10);
    await pulse.end('finished');
    pulse = undefined;
    const last = readStatus(run)!;
    expect(last).toMatchObject({ state: 'finished', step: 10 });
    await new Promise((r) => setTimeout(r, 1200));
    expect(readStatus(run)).toEqual(last);
    expect(readdirSync(run)).toEqual(['status.json']);
  });

  it('does not recreate a run folder that was moved', async () => {
    pulse = Pulse.start(run, worker);
    await vi.waitUntil(() => readStatus(run)!.heartbeat > readStatus(run)!.startedAt, soon);
    rmSync(run, { recursive: true });
    await new Promise((r) => setTimeout(r, 1300));
    expect(existsSync(run)).toBe(false);
    await expect(pulse.end('stopped')).rejects.toMatchObject({ kind: 'disk' });
    pulse = undefined;
    expect(existsSync(run)).toBe(false);
  });

  it('replaces its thread if it failed, and reports that', async () => {
    const marker = join(programs, 'failed-once');
    const failing = join(programs, 'failing-worker.cjs');
    rmSync(marker, { force: true });
    writeFileSync(
      failing,
      `const fs = require('node:fs');
       if (!fs.existsSync(${JSON.stringify(marker)})) {
         fs.writeFileSync(${JSON.stringify(marker)}, '');
         throw new Error('lost its disk');
       }
       require(${JSON.stringify(worker)});`,
    );
    const said: string[] = [];
    pulse = Pulse.start(run, failing, { warn: (message) => said.push(message) });
    pulse.progress(4, 9);
    await vi.waitUntil(() => readStatus(run)!.step === 4, soon);
    expect(said).toEqual([expect.stringContaining('lost its disk')]);
    request('stop');
    await vi.waitUntil(() => pulse!.stopRequested(), soon);
    expect(pulse.stopRequested()).toBe('requested');
  });

  it('resumes once status.json can be written again, and reports the pause', async () => {
    const said: string[] = [];
    pulse = Pulse.start(run, worker, { warn: (message) => said.push(message) });
    // A folder in place of the file also stops root, unlike permissions.
    const { status } = runPaths(run);
    await vi.waitUntil(() => readStatus(run)!.heartbeat > readStatus(run)!.startedAt, soon);
    rmSync(status);
    mkdirSync(join(status, 'in the way'), { recursive: true });
    await vi.waitUntil(() => said.length > 0, soon);
    expect(said[0]).toContain('The heartbeat of the run could not be written');
    rmSync(status, { recursive: true });
    await vi.waitUntil(() => said.length > 1, soon);
    expect(said[1]).toContain('it works again');
    expect(readStatus(run)).toMatchObject({ state: 'running' });
  });

  it('kills a process that hangs after a stop request and marks it as stopped', async () => {
    const child = spawn(process.execPath, [join(programs, 'hanging.cjs'), run, worker]);
    const exit = once(child, 'exit');
    await vi.waitUntil(() => readStatus(run)?.step === 7, soon);
    request('stop');
    expect(await exit).toEqual(process.platform === 'win32' ? [1, null] : [null, 'SIGKILL']);
    expect(readStatus(run)).toMatchObject({ state: 'stopped', step: 7, pid: child.pid });
  });
});
