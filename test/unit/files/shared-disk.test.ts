import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { build } from 'esbuild';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ownerFile, parseOwner } from '../../../src/files/fence';
import { scratchFolder } from '../../scratch';
import { temporaryFolders } from '../runs/folder';

const folder = temporaryFolders();
const program = join(scratchFolder('shared-disk'), 'node.cjs');

/** Does what it is asked for, one line each, and answers with one line each. */
const PROGRAM = `
  import { createInterface } from 'node:readline';
  import { writeAtomic } from './atomic';
  import { requireOwned } from './fence';
  import { claim, heldBy } from './owner';
  import { readIfThereSync } from './read';
  import { claimTrial } from '../sweeps/claim-trial';
  const owners = new Map();
  const actions = {
    async claim(at) {
      const got = await claim(at);
      if (!('owner' in got)) return got.as;
      owners.set(at, got.owner);
      return 'owner';
    },
    async trial(at) {
      owners.set(at, await claimTrial(at, { silentMs: 700, lookMs: 20 }));
      return 'owner';
    },
    beat: (at) => (writeAtomic(at + '/status.json', JSON.stringify({ state: 'running', pid: 1, host: 'a', step: 0, steps: 1, startedAt: 0, heartbeat: 0 })), 'beaten'),
    look: async (at) => (await heldBy(at))?.as ?? 'free',
    check: (at) => (requireOwned(at), 'mine'),
    write: (at) => (writeAtomic(at + '/file', process.pid + ''), 'written'),
    read: (at) => readIfThereSync(at)?.toString() ?? 'missing',
    release: (at) => (owners.get(at).release(), 'released'),
  };
  (async () => {
    for await (const line of createInterface({ input: process.stdin })) {
      const [what, at] = line.split(' ');
      try {
        console.log(await actions[what](at));
      } catch (e) {
        console.log(e.kind ?? e.code ?? e.message);
      }
    }
  })();
`;

beforeAll(async () => {
  const resolveDir = resolve(import.meta.dirname, '../../../src/files');
  const stdin = { contents: PROGRAM, resolveDir, loader: 'ts' } as const;
  await build({ stdin, bundle: true, platform: 'node', format: 'cjs', outfile: program });
});

const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    const ended = once(child, 'exit');
    if (child.exitCode === null && child.kill('SIGKILL')) await ended;
  }
});

interface Disk {
  root: string;
  lateMs?: number;
  stale?: 'error' | 'content';
}

/** A process of a job on a machine that sees the disk late. */
function node(host: string, disk: Disk, restarts = 1, job = '7') {
  const env = {
    ...process.env,
    AURORA_TEST_DISK: JSON.stringify({ lateMs: 300, ...disk, host }),
    SLURM_JOB_ID: job,
    SLURM_CLUSTER_NAME: 'c',
    SLURM_RESTART_COUNT: String(restarts),
  };
  const args = ['--require', resolve('test/shared-disk.cjs'), program];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    async ask(what: string, at: string): Promise<string> {
      child.stdin.write(`${what} ${at}\n`);
      return (await lines.next()).value as string;
    },
  };
}

/** An owner on a node that nobody sees, of the job's first start. */
const first = (over = {}) => {
  const job = { id: 'slurm:c:7', restarts: 0 };
  return JSON.stringify({
    pid: 99,
    host: 'node-0',
    boot: 'boot-of-node-0',
    nonce: 'first',
    at: 0,
    job,
    ...over,
  });
};
const nonceOf = (at: string) => parseOwner(readFileSync(ownerFile(at)))?.nonce;

describe.each(['error', 'content'] as const)('on a disk that shows changes late (%s)', (stale) => {
  it('exactly one of several nodes owns a folder', async () => {
    const root = folder();
    const at = Array.from({ length: 12 }, (_, i) => {
      const path = folder();
      if (i % 2) writeFileSync(ownerFile(path), first());
      return path;
    });
    const nodes = ['a', 'b', 'c', 'd'].map((host) =>
      node(host, { root: resolve(root, '..'), stale, lateMs: 50 }),
    );
    for (const path of at) {
      const said = await Promise.all(nodes.map(({ ask }) => ask('claim', path)));
      expect(said.filter((word) => word === 'owner')).toHaveLength(1);
      expect(said.filter((word) => word === 'unseen')).toHaveLength(3);
      expect(await nodes[said.indexOf('owner')].ask('check', path)).toBe('mine');
    }
  });

  it.each([
    ['had ended on the same node', { host: 'a', boot: 'boot-of-a', pidNamespace: '98', pid: 2 ** 30 }],
    ['was on a third node', {}],
  ])(
    'a node that still sees the owner before last, which %s, does not replace the last one',
    async (_, over) => {
      const path = folder();
      writeFileSync(ownerFile(path), first(over));
      const disk = { root: resolve(path, '..'), stale, lateMs: 1500 };
      const [a, b] = [node('a', disk), node('b', disk)];
      expect(await b.ask('look', path)).toBe('free');
      expect(await a.ask('claim', path)).toBe('owner');
      expect(await b.ask('claim', path)).toBe('unseen');
      expect(await a.ask('write', path)).toBe('written');
      expect(await a.ask('check', path)).toBe('mine');
      expect(readdirSync(path).filter((name) => name.includes('aurora-tmp'))).toEqual([]);
      expect(await a.ask('release', path)).toBe('released');
    },
  );

  it('an owner whose job was restarted elsewhere notices, even after its successor has ended', async () => {
    const path = folder();
    const disk = { root: resolve(path, '..'), stale };
    const [a, b] = [node('a', disk, 1), node('b', disk, 2)];
    expect(await a.ask('claim', path)).toBe('owner');
    expect(await a.ask('write', path)).toBe('written');
    expect(await b.ask('claim', path)).toBe('owner');
    // A disk with stale contents hides the new owner for a while.
    if (stale === 'content') await wait(400);
    expect(await a.ask('write', path)).toBe('owned');
    const nonce = nonceOf(path);
    expect(await b.ask('write', path)).toBe('written');
    expect(nonceOf(path)).toBe(nonce);
    expect(await b.ask('release', path)).toBe('released');
    await wait(400);
    expect(await a.ask('write', path)).toBe('owned');
    expect(readdirSync(path)).not.toContain('owner.json');
    // The scheduler may start it again: nobody owns it.
    expect(await node('c', disk, 3).ask('claim', path)).toBe('owner');
  });
});

describe('the owner of a trial, if it is another job on a node that nobody sees,', () => {
  const disk = (path: string) => ({ root: resolve(path, '..') });

  it('is replaced once its heartbeat has not moved for long enough, by the clock of the disk', async () => {
    const path = folder();
    writeFileSync(ownerFile(path), first({ job: { id: 'slurm:c:6', restarts: 5 } }));
    const a = node('a', disk(path));
    const began = performance.now();
    expect(await a.ask('trial', path)).toBe('owner');
    expect(performance.now() - began).toBeGreaterThan(600);
    expect(await a.ask('release', path)).toBe('released');
    // Nobody needs to wait for one that has been silent for long.
    writeFileSync(ownerFile(path), first({ nonce: 'second', job: { id: 'slurm:c:6', restarts: 5 } }));
    utimesSync(ownerFile(path), 1, 1);
    const again = performance.now();
    expect(await a.ask('trial', path)).toBe('owner');
    expect(performance.now() - again).toBeLessThan(600);
  });

  it('is not replaced while its heartbeat moves, nor if no scheduler started it', async () => {
    const path = folder();
    const [a, b] = [node('a', disk(path), 1, '6'), node('b', disk(path))];
    expect(await a.ask('claim', path)).toBe('owner');
    let answered = false;
    const asked = b.ask('trial', path).finally(() => (answered = true));
    // For as long as it looks: a slow machine looks for longer.
    while (!answered) {
      await wait(100);
      await a.ask('beat', path);
    }
    expect(await asked).toBe('owned');
    writeFileSync(ownerFile(path), first({ nonce: 'third', job: undefined }));
    utimesSync(ownerFile(path), 1, 1);
    expect(await b.ask('trial', path)).toBe('owned');
  });
});

it('a file that another node replaces while it is read is read again', async () => {
  const path = folder();
  const disk = { root: resolve(path, '..'), lateMs: 60_000 };
  const a = node('a', disk);
  writeFileSync(ownerFile(path), first());
  expect(await a.ask('read', ownerFile(path))).toContain('first');
  await node('b', disk, 2).ask('claim', path);
  expect(await a.ask('read', ownerFile(path))).toContain('"host":"b"');
});
