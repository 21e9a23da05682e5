import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  installPackage,
  noteSubmitted,
  removeUnused,
  UNUSED_DAYS,
} from '../../../../src/executors/package/installed-package';
import { MANIFEST, trainerPackage, type TrainerPackage } from '../../../../src/executors/package/package';
import { temporaryBeside } from '../../../../src/files/temporary';
import { scratchFolder } from '../../../scratch';

const trainers = join(scratchFolder('package'), 'trainers');
let pkg: TrainerPackage;
let folder: string;

beforeAll(async () => {
  pkg = await trainerPackage(resolve('dist'));
  folder = await installPackage(pkg, trainers);
});

const check = () =>
  spawnSync('sha256sum', ['--check', '--quiet', MANIFEST], { cwd: folder, encoding: 'utf8' });

describe("the trainer's package", () => {
  it('runs without this build, in a folder named by its manifest', () => {
    expect(folder).toBe(join(trainers, pkg.hash));
    const { stdout, status } = spawnSync(process.execPath, [join(folder, 'cli.cjs'), 'train', '--help'], {
      encoding: 'utf8',
    });
    expect([status, stdout.slice(0, 6)]).toEqual([0, 'Usage:']);
  });

  it.skipIf(process.platform === 'win32')('is what sha256sum can verify', () => {
    const sum = spawnSync('sha256sum', [MANIFEST], { cwd: folder, encoding: 'utf8' }).stdout;
    expect(sum.slice(0, 64)).toBe(pkg.hash);
    expect(check()).toMatchObject({ status: 0, stdout: '' });
  });

  it('is the same for the same build, whoever makes it', async () => {
    expect((await trainerPackage(resolve('dist'))).manifest).toBe(pkg.manifest);
  });

  it('is kept if it is whole; a changed byte and a removed file are put right', async () => {
    const file = join(folder, 'pulse-worker.cjs');
    const cli = statSync(join(folder, 'cli.cjs')).ino;
    const bytes = readFileSync(file);
    bytes[100]! ^= 1;
    writeFileSync(file, bytes);
    rmSync(join(folder, 'experiment.schema.json'));
    await installPackage(pkg, trainers);
    expect(check().status).toBe(0);
    expect(statSync(join(folder, 'cli.cjs')).ino).toBe(cli);
  });

  it('is never half there: an interrupted copy is removed, and two at once agree', async () => {
    // Left by a killed process.
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    const { place } = /\.(?<place>[0-9a-f]{8})-/.exec(temporaryBeside(folder))!.groups!;
    const half = join(trainers, `.half.${place}-${gone}-00000000.aurora-tmp`);
    mkdirSync(half);
    rmSync(folder, { recursive: true });
    await Promise.all([installPackage(pkg, trainers), installPackage(pkg, trainers)]);
    expect(check().status).toBe(0);
    expect(readdirSync(trainers)).toEqual([pkg.hash]);
  });

  it('is refused if a file changes while it is copied', async () => {
    const [first, ...rest] = pkg.files;
    const other = { ...pkg, hash: 'f'.repeat(64), files: [{ ...first!, sha256: '0'.repeat(64) }, ...rest] };
    await expect(installPackage(other, trainers)).rejects.toMatchObject({
      kind: 'disk',
      message: expect.stringContaining(`${first!.target} is not what was written`),
    });
    expect(existsSync(join(trainers, other.hash))).toBe(false);
  });

  it('names what this build lacks for another system', async () => {
    await expect(trainerPackage(resolve('dist'), { platform: 'aix', arch: 'ppc64' })).rejects.toMatchObject({
      piece: 'runtime',
    });
  });
});

describe('a package of another version', () => {
  const old = join(trainers, '1'.repeat(64));
  const days = (n: number) => new Date(Date.now() - n * 86_400_000);

  it('is removed only if no job was submitted or started from it for long', () => {
    mkdirSync(join(old, 'in-use'), { recursive: true });
    writeFileSync(join(old, 'cli.cjs'), '');
    mkdirSync(join(trainers, 'mine'), { recursive: true });
    utimesSync(join(trainers, 'mine'), days(999), days(999));
    utimesSync(join(folder, 'in-use'), days(999), days(999));
    utimesSync(join(old, 'in-use'), days(UNUSED_DAYS + 1), days(UNUSED_DAYS + 1));
    noteSubmitted(old);
    expect(removeUnused(trainers, pkg.hash)).toEqual([]);
    utimesSync(join(old, 'in-use'), days(UNUSED_DAYS + 1), days(UNUSED_DAYS + 1));
    appendFileSync(join(old, 'in-use', '4711-aa'), '{}');
    expect(removeUnused(trainers, pkg.hash)).toEqual([]);
    utimesSync(join(old, 'in-use'), days(UNUSED_DAYS + 1), days(UNUSED_DAYS + 1));
    expect(removeUnused(trainers, pkg.hash)).toEqual(['1'.repeat(64)]);
    expect(readdirSync(trainers).sort()).toEqual([pkg.hash, 'mine'].sort());
  });
});
