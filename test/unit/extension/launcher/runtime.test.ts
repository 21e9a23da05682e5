import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { findNode } from '../../../../src/extension/launcher/node-program';
import { ensureRuntime, removeOldVersions } from '../../../../src/extension/launcher/runtime-copy';
import { NODE_NAME, findRuntime } from '../../../../src/executors/package/package-files';
import { processRecord } from '../../../../src/files/processes';
import { scratchFolder } from '../../../scratch';

const folder = scratchFolder('runtime');
const dist = join(folder, 'extension', 'dist');
const storage = join(folder, 'storage');
const copy = join(storage, '0.1.0');

/** The layout of a packaged extension, with node_modules and a Node in dist/. */
beforeAll(() => {
  mkdirSync(join(dist, 'node'), { recursive: true });
  for (const name of [
    'cli.cjs',
    'pulse-worker.cjs',
    'hash-worker.cjs',
    'image-worker.cjs',
    'schema-validator.cjs',
    'experiment.schema.json',
    'tfjs.cjs',
    'hub-packages.cjs',
    'mcp-sdk.cjs',
    'wasm',
  ])
    cpSync(resolve('dist', name), join(dist, name), { recursive: true });
  for (const name of [
    '@img',
    'detect-libc',
    'onnxruntime-common',
    'onnxruntime-node',
    'semver',
    'sharp',
    'webgpu',
  ])
    cpSync(resolve('node_modules', name), join(dist, 'node_modules', name), {
      recursive: true,
      filter: (path) =>
        !/[\\/](bin[\\/]napi-v6|webgpu[\\/]dist)[\\/]/.test(path) ||
        path.includes(join('napi-v6', process.platform)) ||
        path.includes(join('dist', process.platform)),
    });
  const node = realpathSync(process.execPath);
  try {
    linkSync(node, join(dist, 'node', NODE_NAME));
  } catch {
    cpSync(node, join(dist, 'node', NODE_NAME));
  }
});

const files = (root: string) =>
  (readdirSync(root, { recursive: true }) as string[]).filter((f) => statSync(join(root, f)).isFile());

describe('the copy that trainers run from', () => {
  it('contains all that training needs and works without the extension', async () => {
    const made = await ensureRuntime(dist, copy);
    expect(made.node).toBe(join(copy, 'node', NODE_NAME));
    expect(files(copy).filter((f) => f.endsWith('.tmp') || f.endsWith('.d.ts'))).toEqual([]);
    const other = process.arch === 'x64' ? 'arm64' : 'x64';
    expect(files(copy).filter((f) => f.includes(`${process.platform}/${other}`))).toEqual([]);
    const text = `const ort = require('./node_modules/onnxruntime-node'); console.log(typeof ort.InferenceSession.create)`;
    const loaded = spawnSync(made.node!, ['-e', text], { cwd: copy, encoding: 'utf8' });
    expect([loaded.stdout, loaded.stderr]).toEqual(['function\n', '']);
    expect(spawnSync(made.node!, [made.cli, '--help']).status).toBe(0);
  });

  it('reads images', async () => {
    const { node } = await ensureRuntime(dist, copy);
    const text = `import('sharp').then(async ({ default: sharp }) => {
      const { data } = await sharp(process.argv[1]).raw().toBuffer({ resolveWithObject: true });
      console.log(require.resolve('sharp'), data.length);
    })`;
    const image = resolve('test/fixtures/images/rgb.png');
    const { stdout, stderr } = spawnSync(node!, ['-e', text, image], { cwd: copy, encoding: 'utf8' });
    expect([stdout, stderr]).toEqual([`${realpathSync(copy)}/node_modules/sharp/dist/index.cjs 741\n`, '']);
  });

  it.each(['wasm', 'webgpu'])('runs TensorFlow.js on %s', async (device) => {
    const { node, cli } = await ensureRuntime(dist, copy);
    const file = resolve('test/fixtures/reference/anl.json');
    const args = [cli, 'reference', file, '--engine', 'tfjs', '--device', device];
    const { stdout, status } = spawnSync(node!, args, { cwd: copy, encoding: 'utf8' });
    expect([stdout.split('\n').at(-2), status]).toEqual(['1 of 1 files agree with PyTorch', 0]);
  });

  it('is kept if it is complete; only missing or changed files are copied again', async () => {
    const inode = (name: string) => statSync(join(copy, name)).ino;
    const names = ['cli.cjs', 'pulse-worker.cjs', `node/${NODE_NAME}`];
    const before = names.map(inode);
    await ensureRuntime(dist, copy);
    expect(names.map(inode)).toEqual(before);

    // A partial file, and one that a cleanup tool removed.
    writeFileSync(join(copy, 'cli.cjs'), 'half');
    rmSync(join(copy, 'experiment.schema.json'));
    // A newer build of the same version.
    appendFileSync(join(dist, 'pulse-worker.cjs'), '\n// newer\n');
    await ensureRuntime(dist, copy);
    for (const name of ['cli.cjs', 'pulse-worker.cjs', 'experiment.schema.json'])
      expect(readFileSync(join(copy, name)).equals(readFileSync(join(dist, name)))).toBe(true);
    expect(inode(`node/${NODE_NAME}`)).toBe(before[2]);
  });

  it('is the same when two windows create it at once', async () => {
    const twice = join(storage, '0.2.0');
    const [a, b] = await Promise.all([ensureRuntime(dist, twice), ensureRuntime(dist, twice)]);
    expect(a).toEqual(b);
    expect(files(twice).sort()).toEqual(files(copy).sort());
  });

  it('of an old version is removed once no process runs from it', async () => {
    const user = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    const ended = new Promise((done) => user.once('exit', done));
    const note = join(storage, '0.2.0', 'in-use', String(user.pid));
    writeFileSync(note, JSON.stringify(await processRecord(user.pid!)));
    mkdirSync(join(storage, 'demo'));
    mkdirSync(join(storage, '0.0.9'));
    expect(await removeOldVersions(storage, '0.1.0')).toEqual(['0.0.9']);
    expect(existsSync(join(storage, '0.2.0', 'cli.cjs'))).toBe(true);
    user.kill('SIGKILL');
    await ended;
    expect(await removeOldVersions(storage, '0.1.0')).toEqual(['0.2.0']);
    expect(readdirSync(storage).sort()).toEqual(['0.1.0', 'demo']);
  });
});

describe('a missing part', () => {
  it('can be the runtime of this platform', async () => {
    await expect(findRuntime(dist, { platform: 'aix', arch: 'ppc64' })).rejects.toMatchObject({
      piece: 'runtime',
      message: 'This build of AuroRA Lab does not include ONNX Runtime for aix-ppc64.',
    });
  });

  it('can be a program of the extension', async () => {
    rmSync(join(dist, 'pulse-worker.cjs'));
    await expect(ensureRuntime(dist, join(storage, 'x'))).rejects.toMatchObject({ piece: 'program' });
  });
});

describe('the Node for training', () => {
  const places = { setting: '', dist, execPath: process.execPath, electron: undefined };
  const bare = join(folder, 'bare');
  const program = (name: string, says: string) => {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\necho '${says}'\n`);
    chmodSync(path, 0o755);
    return path;
  };

  it('is taken from the setting, else the extension, else the host unless that is Electron', async () => {
    const setting = process.execPath;
    expect(await findNode({ ...places, setting })).toMatchObject({ from: 'setting', path: setting });
    expect((await findNode(places)).from).toBe('extension');
    expect(await findNode({ ...places, dist: bare })).toEqual({
      path: process.execPath,
      version: process.versions.node,
      from: 'editor',
    });
    await expect(findNode({ ...places, dist: bare, electron: '37.0.0' })).rejects.toMatchObject({
      piece: 'node',
    });
  });

  it.skipIf(process.platform === 'win32')('is never a different one than the setting names', async () => {
    const bad = async (setting: string, message: string) =>
      expect(findNode({ ...places, setting })).rejects.toMatchObject({
        piece: 'nodeSetting',
        message: expect.stringContaining(message),
      });
    await bad('node', 'is not an absolute path');
    await bad(join(folder, 'none'), 'does not exist');
    await bad(program('old', 'v20.18.3'), 'is Node 20.18.3, but training needs 20.19 or newer');
    await bad(program('other', 'Python 3.13'), 'is not Node');
    await bad(resolve('package.json'), 'could not be run as Node');
    expect((await findNode({ ...places, setting: program('new', 'v24.1.0') })).version).toBe('24.1.0');
  });
});
