import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  factsOf,
  parseFacts,
  processExists,
  groupIsThere,
  killTree,
  isAliveNow,
  isOurTrainer,
  presence,
  presenceNow,
  processRecord,
  thisProcess,
} from '../../../src/files/processes';
import { temporaryFolders } from '../runs/folder';

const folder = temporaryFolders();
const linux = process.platform === 'linux';
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    const ended = once(child, 'exit');
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await ended;
  }
});

/** Starts `node FILE ARGUMENTS` with a file of this name, which waits, and returns its PID. */
async function waiting(file: string, ...args: string[]): Promise<number> {
  const path = join(folder(), file);
  writeFileSync(path, "console.log('here'); setInterval(() => {}, 1000)");
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  await once(child.stdout, 'data');
  return child.pid!;
}

/** PIDs from a file that must never receive a signal. */
const NO_PIDS: unknown[] = [0, -1, 1, -process.pid, NaN, 1e300, 2 ** 31, 1.5, '42', null, undefined];

describe('a process', () => {
  it('is alive while it exists and started when its record says', async () => {
    const pid = await waiting('any.js');
    const record = await processRecord(pid);
    expect(await presence(record)).toBe('alive');
    if (linux) expect(presenceNow(record)).toBe('alive');
    expect(await presence({ ...record, started: record.started! - 10_000 })).toBe('gone');
    process.kill(pid, 'SIGSTOP');
    expect(await presence(record)).toBe('alive');
    const ended = once(children[0], 'exit');
    process.kill(pid, 'SIGKILL');
    await ended;
    expect(await presence(record)).toBe('gone');
  });

  it('elsewhere counts as alive only shortly after a sign of life, not because of one from the future', () => {
    const there = { pid: 42, host: 'elsewhere' };
    const at = (seen: number) => isAliveNow(there, seen, 15_000, 1_000_000);
    expect([at(999_000), at(980_000), at(1_001_000), at(1_020_000), at(4e12), at(NaN)]).toEqual([
      ...[true, false, true, false, false, false],
    ]);
  });

  it('is gone after a reboot and elsewhere on another machine', async () => {
    const me = thisProcess();
    expect(await presence(me)).toBe('alive');
    expect(await presence({ ...me, host: 'elsewhere', boot: 'another' })).toBe('elsewhere');
    expect(await presence({ pid: me.pid, host: 'elsewhere' })).toBe('elsewhere');
    if (!linux) return;
    expect(await presence({ ...me, boot: 'another' })).toBe('gone');
    // A hostname that changes at run time does not mean another machine, but another PID namespace does.
    expect(await presence({ ...me, host: 'renamed' })).toBe('alive');
    expect(await presence({ ...me, pidNamespace: '1' })).toBe('elsewhere');
  });

  it('without a start time is identified by its command line and when it was last seen', async () => {
    const { host } = thisProcess();
    const trainer = { pid: await waiting('cli.cjs', 'train', 'a.aurora.json'), host };
    const other = { pid: await waiting('cli.cjs', 'inspect', 'model.onnx'), host };
    expect(await presence(trainer, Date.now())).toBe('alive');
    expect(await presence(trainer, Date.now() - 3_600_000)).toBe('gone');
    expect(await presence(other, Date.now())).toBe('gone');
  });

  it('with an invalid PID is gone, without an error', async () => {
    for (const pid of NO_PIDS) {
      const record = { ...thisProcess(), pid: pid as number };
      expect(processExists(pid)).toBe(false);
      expect(await presence(record)).toBe('gone');
      expect(presenceNow({ pid: pid as number, host: record.host }, Date.now())).toBe('gone');
    }
  });
});

describe('a signal', () => {
  it('is sent to the trainer that matches its record', async () => {
    const pid = await waiting('cli.cjs', 'train', '--run', '/runs/one');
    const record = await processRecord(pid);
    expect(await isOurTrainer(record)).toBe(true);
    expect(
      await isOurTrainer({ ...record, boot: undefined, started: undefined }, Date.now(), '/runs/one'),
    ).toBe(true);
    expect(await isOurTrainer({ ...record, started: undefined }, Date.now(), '/runs/two')).toBe(false);
    expect(await isOurTrainer({ ...record, started: 1 })).toBe(false);
  });

  it('is never sent to this process, its parent, another program or an invalid PID', async () => {
    const other = await processRecord(await waiting('train.js', 'train'));
    const parent = await processRecord(process.ppid);
    expect(await presence(other)).toBe('alive');
    for (const record of [thisProcess(), parent, other]) expect(await isOurTrainer(record)).toBe(false);
    for (const pid of NO_PIDS) {
      expect(await isOurTrainer({ ...thisProcess(), pid: pid as number }, Date.now())).toBe(false);
      // Even if a caller does not check, neither this process and its group nor any other process receives a
      // signal.
      await killTree(pid as number, 'SIGKILL');
      expect(await groupIsThere(pid as number)).toBe(false);
    }
    await killTree(process.pid, 'SIGKILL');
    await killTree(process.ppid, 'SIGKILL');
    expect(await presence(other)).toBe('alive');
  });
});

it('the output of ps and PowerShell is parsed', async () => {
  const at = 'Thu Nov 26 06:13:11 2026';
  expect(parseFacts(`${at} /usr/bin/node cli.cjs train\n`)).toMatchObject({
    started: Date.parse(at),
    command: '/usr/bin/node cli.cjs train',
  });
  expect(parseFacts('2026-11-26T06:13:11.5000000Z\r\n"C:\\n.exe" "C:\\cli.cjs" train')).toMatchObject({
    started: Date.parse('2026-11-26T06:13:11.500Z'),
    command: '"C:\\n.exe" "C:\\cli.cjs" train',
  });
  expect(parseFacts('')).toEqual({});
  if (linux)
    expect((await factsOf(process.pid)).command).toBe(
      readFileSync('/proc/self/cmdline', 'utf8').replaceAll('\0', ' ').trim(),
    );
});
