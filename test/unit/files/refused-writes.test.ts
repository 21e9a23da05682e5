import fs, { mkdirSync, readdirSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { AuroraError } from '../../../src/base/errors';
import { IN_USE, isInUse, noteUse } from '../../../src/files/in-use';
import { claim } from '../../../src/files/owner';
import { CPU } from '../../../src/engine/place';
import { saveCheckpoint } from '../../../src/training/checkpoint/checkpoint-store';
import { environment } from '../../../src/training/process/environment';
import { runPaths } from '../../../src/runs/layout';
import { scratchFolder } from '../../scratch';

const scratch = scratchFolder('refused-writes');
const { fsyncSync, linkSync, openSync, renameSync, writeFileSync, writeSync } = fs;
const real = { fsyncSync, linkSync, openSync, renameSync, writeFileSync, writeSync };
afterEach(() => {
  Object.assign(fs, real);
  syncBuiltinESMExports();
});

const full = (): never => {
  throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC', syscall: 'write' });
};

/** Replaces calls of Node until the end of the test, as a disk that fills up does. */
function onDisk(calls: Partial<typeof fs>): void {
  Object.assign(fs, calls);
  syncBuiltinESMExports();
}

/** As a full disk does, creates the file, writes a part of it and fails. */
const halfWritten = ((path: string) => {
  real.writeFileSync(path, '{"pi');
  full();
}) as typeof fs.writeFileSync;

function folder(name: string): string {
  const path = join(scratch, name);
  mkdirSync(path);
  return path;
}

it('a claim that the disk refuses midway does not hold the folder', async () => {
  const run = folder('renamed');
  onDisk({ renameSync: full });
  const refusal: unknown = await claim(run).catch((e: unknown) => e);
  expect(refusal).toBeInstanceOf(AuroraError);
  expect(refusal).toMatchObject({ kind: 'disk' });
  expect(readdirSync(run)).toEqual([]);

  onDisk({ renameSync: real.renameSync });
  const next = await claim(run);
  if (!('owner' in next)) throw new Error('the folder is held by nobody');
  next.owner.release();
  expect(readdirSync(run)).toEqual([]);
});

it('nor does half of its record, on a file system without links', async () => {
  const run = folder('no-links');
  const records = new Set<number>();
  onDisk({
    linkSync() {
      throw Object.assign(new Error('EPERM: link'), { code: 'EPERM', syscall: 'link' });
    },
    openSync(path, ...rest) {
      const fd = real.openSync(path, ...rest);
      if (path === join(run, 'owner.json')) records.add(fd);
      return fd;
    },
    writeSync: ((fd: number, ...rest: [Uint8Array]) => {
      if (!records.has(fd)) return real.writeSync(fd, ...rest);
      real.writeSync(fd, '{"pi');
      return full();
    }) as typeof fs.writeSync,
  });
  await expect(claim(run)).rejects.toMatchObject({ kind: 'disk' });
  expect(readdirSync(run)).toEqual([]);
});

it('half a mark of use does not keep a copy for ever', () => {
  const copy = folder('copy');
  mkdirSync(join(copy, IN_USE));
  onDisk({ writeFileSync: halfWritten });
  expect(() => noteUse(copy)).toThrow('ENOSPC');
  expect(readdirSync(join(copy, IN_USE))).toEqual([]);
  expect(isInUse(copy)).toBe(false);
});

it.for([1, 2, 3, 4])('a checkpoint leaves nothing when flush %i is refused', (nth) => {
  const run = folder(`run-${nth}`);
  let flushes = 0;
  onDisk({
    fsyncSync(fd) {
      if (++flushes >= nth) full();
      real.fsyncSync(fd);
    },
  });
  const checkpoint = {
    state: {
      version: 1 as const,
      step: 1,
      secondsSpent: 1,
      last: null,
      examplesSeen: 1,
      best: null,
      earlyStopping: { best: 1, reference: 1, withoutProgress: 0 },
      curve: { records: 1, sha256: 'def' },
      specHash: 'abc',
      environment: environment(2, CPU),
    },
    parameters: new Map([['a', Float32Array.of(1)]]),
    optimizer: { step: 1, firstMoments: new Map(), secondMoments: new Map() },
    course: new Map(),
  };
  expect(() => saveCheckpoint(run, checkpoint)).toThrow(expect.objectContaining({ kind: 'disk' }));
  expect(readdirSync(runPaths(run).checkpoints)).toEqual([]);
});
