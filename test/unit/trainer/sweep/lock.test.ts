import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { expect, it } from 'vitest';
import { HEARTBEAT_TIMEOUT_MS } from '../../../../src/runs/status';
import { sweepPaths } from '../../../../src/runs/sweep/record';
import { lockSweep } from '../../../../src/trainer/sweep/lock';
import { setStatus } from '../../extension/run-maker';
import { temporaryFolders } from '../../runs/folder';

const folder = temporaryFolders();

function locked(by: object | string): string {
  const sweep = folder();
  writeFileSync(sweepPaths(sweep).lock, typeof by === 'string' ? by : JSON.stringify(by));
  return sweep;
}
const me = { pid: process.pid, host: hostname(), nonce: 'other', at: Date.now() };
const longAgo = Date.now() - 2 * HEARTBEAT_TIMEOUT_MS;

it('is one queue’s, and given up by that one alone', async () => {
  const sweep = folder();
  const unlock = await lockSweep(sweep);
  await expect(lockSweep(sweep)).rejects.toThrow(`is being run by process ${process.pid} on ${hostname()}`);
  unlock();
  const again = await lockSweep(sweep);
  unlock();
  expect(existsSync(sweepPaths(sweep).lock)).toBe(true);
  again();
  expect(existsSync(sweepPaths(sweep).lock)).toBe(false);
});

it('stays with a queue that has been at work for long, as its heartbeat says', async () => {
  const sweep = locked({ ...me, at: longAgo });
  setStatus(sweep, {});
  await expect(lockSweep(sweep)).rejects.toThrow('is being run');
});

it('is taken over from one that is gone', async () => {
  const gone = spawnSync(process.execPath, ['-e', '']).pid;
  const others = [
    locked({ ...me, pid: gone }),
    // The number is another process's by now.
    locked({ ...me, at: longAgo }),
    locked({ ...me, host: 'elsewhere', at: longAgo }),
  ];
  for (const sweep of others) {
    const unlock = await lockSweep(sweep);
    expect(JSON.parse(readFileSync(sweepPaths(sweep).lock, 'utf8'))).toMatchObject({ pid: process.pid });
    unlock();
  }
});

it('is taken over where it was left without a name', async () => {
  const sweep = locked('');
  const before = new Date(Date.now() - 5000);
  utimesSync(sweepPaths(sweep).lock, before, before);
  (await lockSweep(sweep))();
});
