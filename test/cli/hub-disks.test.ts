import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildProgram, startProgram } from '../hub/program';
import { commitOf, largeFile, smallFile, someBytes, type Repository } from '../hub/repository';
import { HubServer } from '../hub/server';
import { scratchFolder } from '../scratch';

const root = scratchFolder('hub-disks');
const program = join(root, 'download.cjs');
const server = new HubServer();
const MODEL: Repository = {
  kind: 'model',
  id: 'an-org/a-model',
  commit: commitOf('disks'),
  refs: ['main'],
  files: [smallFile('config.json', '{}'), largeFile('model.safetensors', someBytes(5_000_000, 1))],
};

/** A disk of eight megabytes, which only root on Linux can create. */
const disk = join(root, 'disk');
const mounted = (() => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

beforeAll(async () => {
  await server.start();
  server.repositories.push(MODEL);
  await buildProgram(program);
});
afterEach(() => {
  server.sending = () => undefined;
  rmSync(join(disk, 'filler'), { force: true });
});
afterAll(() => {
  server.stop();
  if (mounted) execFileSync('umount', [disk]);
});

const run = (home: string) =>
  startProgram(program, [MODEL.id, String(1 << 20)], {
    HOME: root,
    HF_HOME: home,
    XDG_CACHE_HOME: join(root, 'cache'),
    HF_ENDPOINT: server.endpoint,
  }).ended;

const remount = (how: string) => execFileSync('mount', ['-o', `remount,${how}`, disk]);

function fill(free: number): void {
  try {
    for (;;) appendFileSync(join(disk, 'filler'), Buffer.alloc(65_536, 1));
  } catch {
    // Full.
  }
  if (free === 0) return;
  rmSync(join(disk, 'filler'));
  appendFileSync(join(disk, 'filler'), Buffer.alloc(8_000_000 - free, 1));
}

const weights = (home: string) =>
  join(home, 'hub/models--an-org--a-model/snapshots', MODEL.commit, 'model.safetensors');

describe.skipIf(!mounted)('on a disk', () => {
  it('without room for it, a download does not start', async () => {
    fill(3_000_000);
    const end = await run(join(disk, 'small'));
    expect(end.code).toBe(18);
    expect(end.err).toMatch(
      /^The download needs 5\.0 MB, and only .+ MB are free in .+\nFree some space, or set HF_HUB_CACHE/,
    );
    expect(readdirSync(disk)).toEqual(['filler']);
  });

  it('that fills up, a download stops with nothing wrong in place, and continues when there is room', async () => {
    const home = join(disk, 'filled');
    let sent = 0;
    server.sending = ({ route }, bytes) => {
      sent += bytes;
      if (route === 'store' && sent > 2_500_000 && sent - bytes <= 2_500_000) fill(0);
    };
    const end = await run(home);
    expect([end.code, end.err]).toEqual([
      18,
      expect.stringMatching(
        /^The disk is full: .+\.aurora\.incomplete could not be written\.\nFree some space/,
      ),
    ]);
    expect(readdirSync(join(home, 'hub/models--an-org--a-model/snapshots', MODEL.commit))).toEqual([]);
    server.sending = () => undefined;
    rmSync(join(disk, 'filler'));
    server.seen.length = 0;
    expect((await run(home)).code).toBe(0);
    expect(readFileSync(weights(home)).equals(MODEL.files[1].bytes)).toBe(true);
    expect(server.seen.find((r) => r.route === 'store')!.range).not.toMatch(/^bytes=0-/);
    rmSync(home, { recursive: true });
  });

  it('that is read-only, it says so, and needs nothing if all files are there', async () => {
    const home = join(disk, 'read-only');
    remount('ro');
    try {
      const end = await run(home);
      expect([end.code, end.err]).toEqual([18, expect.stringMatching(/ is not writable \(EROFS\)\./)]);
    } finally {
      remount('rw');
    }
    expect((await run(home)).code).toBe(0);
    remount('ro');
    try {
      expect(await run(home)).toMatchObject({ code: 0, err: '' });
    } finally {
      remount('rw');
    }
  });
});
