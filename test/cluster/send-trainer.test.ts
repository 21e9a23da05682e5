import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { MANIFEST, trainerPackage, type TrainerPackage } from '../../src/executors/package/package';
import { Rsync } from '../../src/executors/remote/rsync';
import { sendTrainer } from '../../src/executors/remote/send-trainer';
import { sshShell } from '../../src/executors/remote/shell';
import { loginNode, withLogin } from './login-node';
import { hasSshd, startSshd, type Sshd } from './sshd';

const node = loginNode();
const here = join(node.folder, 'here');
const trainers = join(node.folder, 'there', 'trainers');

const send = (pkg: TrainerPackage, to = trainers, host = 'cluster') =>
  sendTrainer(pkg, { shell: sshShell(host), rsync: new Rsync(host), trainers: to });

/** A package of these files. */
function packageOf(files: Record<string, Buffer>): TrainerPackage {
  const all = Object.entries(files).map(([target, bytes]) => {
    const source = join(here, target);
    mkdirSync(dirname(source), { recursive: true });
    writeFileSync(source, bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { source, target, sha256, size: bytes.length, mtimeMs: 0, executable: false };
  });
  const manifest = all.map(({ sha256, target }) => `${sha256}  ${target}\n`).join('');
  return { files: all, manifest, hash: createHash('sha256').update(manifest).digest('hex') };
}

const verify = (folder: string) =>
  spawnSync('sha256sum', ['-c', '--quiet', MANIFEST], { cwd: folder }).status;

afterEach(async () => {
  await node.sshd.start();
  rmSync(trainers, { recursive: true, force: true });
});

withLogin('the trainer on a cluster', () => {
  it('runs there, and is sent once', async () => {
    const pkg = await trainerPackage(resolve('dist'));
    const { program, hash } = await send(pkg);
    expect(program).toBe(join(trainers, hash, 'cli.cjs'));
    expect(verify(dirname(program))).toBe(0);
    expect(spawnSync(process.execPath, [program, 'train', '--help']).status).toBe(0);
    const inode = statSync(program).ino;
    expect(await send(pkg)).toEqual({ program, hash });
    expect(statSync(program).ino).toBe(inode);
    expect(readdirSync(trainers)).toEqual([hash]);
  });

  it('is put right if a byte changed there, also where size and time are the same', async () => {
    const pkg = packageOf({ 'cli.cjs': Buffer.from('one'), 'lib/a.node': Buffer.alloc(5000, 7) });
    const { program } = await send(pkg);
    const file = join(dirname(program), 'lib/a.node');
    const { atime, mtime } = statSync(file);
    const bytes = readFileSync(file);
    bytes[17] = 8;
    writeFileSync(file, bytes);
    utimesSync(file, atime, mtime);
    expect(verify(dirname(program))).not.toBe(0);
    await send(pkg);
    expect(verify(dirname(program))).toBe(0);
  });

  it('is never found half there: a connection that is lost while sending is continued', async () => {
    const pkg = packageOf({ 'a.bin': Buffer.alloc(300, 1), 'b.bin': Buffer.alloc(150_000_000, 2) });
    const partial = join(trainers, `.${pkg.hash}.partial`);
    const sending = send(pkg).catch((e: unknown) => e);
    while (!existsSync(partial) || readdirSync(partial).length < 3) await wait(2);
    await node.sshd.stop();
    expect(await sending).toMatchObject({ kind: 'network' });
    expect(existsSync(join(trainers, pkg.hash))).toBe(false);
    await node.sshd.start();
    const inode = statSync(join(partial, 'a.bin')).ino;
    const { program } = await send(pkg);
    expect(verify(dirname(program))).toBe(0);
    expect(statSync(join(dirname(program), 'a.bin')).ino).toBe(inode);
    expect(readdirSync(trainers)).toEqual([pkg.hash]);
  });

  it('is whole after two have sent it at once', async () => {
    const pkg = packageOf({ 'a.bin': Buffer.alloc(3_000_000, 3), 'b.bin': Buffer.alloc(2_000_000, 4) });
    const [a, b] = await Promise.all([send(pkg), send(pkg)]);
    expect(a).toEqual(b);
    expect(verify(dirname(a.program))).toBe(0);
  });

  it('that nothing used for long is removed, and no other', async () => {
    const [old, used] = ['1', '2'].map((c) => join(trainers, c.repeat(64)));
    for (const folder of [old!, used!, join(trainers, 'mine')])
      mkdirSync(join(folder, 'in-use'), { recursive: true });
    const long = new Date(Date.now() - 100 * 86_400_000);
    for (const folder of [old!, join(trainers, 'mine')]) utimesSync(join(folder, 'in-use'), long, long);
    const { hash } = await send(packageOf({ 'cli.cjs': Buffer.from('new') }));
    expect(readdirSync(trainers).sort()).toEqual([hash, 'mine', '2'.repeat(64)].sort());
  });

  it('that changes here while it is sent is refused', async () => {
    const pkg = packageOf({ 'cli.cjs': Buffer.from('as hashed') });
    writeFileSync(join(here, 'cli.cjs'), 'later');
    await expect(send(pkg)).rejects.toMatchObject({
      kind: 'disk',
      message: expect.stringMatching(/on cluster intact: cli\.cjs is not what was sent\.$/),
    });
    expect(existsSync(join(trainers, pkg.hash))).toBe(false);
  });

  it('is not sent to a node that wants a password, is off or has no such folder', async () => {
    const pkg = packageOf({ 'cli.cjs': Buffer.from('x') });
    await expect(send(pkg, trainers, 'locked')).rejects.toMatchObject({
      kind: 'network',
      hint: expect.stringContaining('A password is never asked for'),
    });
    await expect(send(pkg, trainers, 'off')).rejects.toMatchObject({ kind: 'network' });
    await expect(send(pkg, '/proc/trainers')).rejects.toMatchObject({
      kind: 'disk',
      message: expect.stringContaining('could not be written on cluster'),
    });
  });
});

const canMount = hasSshd && process.platform === 'linux' && process.getuid!() === 0;

describe.skipIf(!canMount)('a disk of 4 MB there', () => {
  const disk = join(node.folder, 'disk');
  beforeAll(() => {
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]);
  });
  afterAll(() => void execFileSync('umount', [disk]));

  it('that is too small is named, and the trainer is not there', async () => {
    const pkg = packageOf({ 'a.bin': Buffer.alloc(1_000_000, 5), 'b.bin': Buffer.alloc(6_000_000, 6) });
    await expect(send(pkg, join(disk, 'trainers'))).rejects.toMatchObject({
      kind: 'disk',
      message: expect.stringMatching(
        /^The disk that files are copied to is full \(cluster\): .*No space left on device/,
      ),
    });
    expect(existsSync(join(disk, 'trainers', pkg.hash))).toBe(false);
  });
});

withLogin('a login node of another user', () => {
  const bare = join(node.folder, 'bare');
  let other: Sshd;
  beforeAll(async () => {
    mkdirSync(bare);
    for (const name of ['sh', 'dd', 'mkdir', 'sha256sum', 'printf'])
      symlinkSync(execFileSync('which', [name], { encoding: 'utf8' }).trim(), join(bare, name));
    other = await startSshd(join(node.folder, 'other'), { PATH: bare });
  });
  afterAll(() => other.stop());

  it('that has no rsync is named', async () => {
    const { PATH, XDG_RUNTIME_DIR } = process.env;
    onTestFinished(() => {
      vi.stubEnv('PATH', PATH);
      vi.stubEnv('XDG_RUNTIME_DIR', XDG_RUNTIME_DIR);
    });
    for (const [name, value] of Object.entries(other.env)) vi.stubEnv(name, value);
    await expect(send(packageOf({ 'cli.cjs': Buffer.from('z') }))).rejects.toMatchObject({
      kind: 'network',
      message: 'cluster has no rsync.',
    });
  });
});

withLogin('a machine without rsync', () => {
  it('is named', async () => {
    const path = process.env.PATH;
    vi.stubEnv('PATH', `${join(node.folder, 'sshd/bin')}:/nowhere`);
    onTestFinished(() => void vi.stubEnv('PATH', path));
    await expect(send(packageOf({ 'cli.cjs': Buffer.from('y') }))).rejects.toMatchObject({
      kind: 'network',
      message: expect.stringContaining('rsync could not be started'),
    });
  });
});
