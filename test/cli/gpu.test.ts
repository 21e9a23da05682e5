import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { GpuEvent, GpuState } from '../../src/protocol/gpu-support';
import { closeAll, Files, serve, serveBehindProxy } from './gpu/servers';
import { hasCompiler, nupkg, tarball, tensorflowArchives } from './gpu/stand-ins';
import { CLI, Lab } from './lab';

const HERE = `${process.platform}-${process.arch}`;
const LIBRARY = '/tensorflow/libtensorflow/libtensorflow-gpu-linux-x86_64-2.9.1.tar.gz';
const BINDING = '/napi-v8/4.22.0/GPU-linux-4.22.0.tar.gz';

let storage: string;
let files: Files;
let env: Record<string, string>;
const children: ChildProcess[] = [];

beforeEach(() => {
  storage = mkdtempSync(join(tmpdir(), "aurora gpu it's-"));
  files = new Files();
});
afterEach(() => {
  closeAll();
  for (const child of children.splice(0)) if (child.exitCode === null) endGroup(child.pid!);
  rmSync(storage, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
});

function endGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code !== 'ESRCH') throw e;
  }
}

function start(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [CLI, 'gpu', ...args, '--storage', storage], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  children.push(child);
  return child;
}

async function gpu(...args: string[]) {
  const child = start(...args);
  let out = '';
  let err = '';
  child.stdout!.on('data', (d: Buffer) => (out += d.toString()));
  child.stderr!.on('data', (d: Buffer) => (err += d.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, err };
}

const events = (out: string) =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as GpuEvent);
const state = async (part: string) =>
  (JSON.parse((await gpu('list', '--json')).out) as { parts: GpuState[] }).parts.find(
    (s) => s.part === part,
  )!;
/** The installed files. */
const left = () => (existsSync(join(storage, 'gpu')) ? readdirSync(join(storage, 'gpu')) : []);

const ARCHIVES = hasCompiler && HERE === 'linux-x64' ? tensorflowArchives() : undefined;

describe.skipIf(!ARCHIVES)("TensorFlow, installed by the package's own script", () => {
  beforeEach(async () => {
    const [library, binding] = ARCHIVES!;
    files.add(LIBRARY, library);
    files.add(BINDING, binding);
    const address = await serve(files);
    env = { TFJS_NODE_CDN_STORAGE: address, npm_config_tfjs_binding_binary_host_mirror: address };
  });

  test('is downloaded, loaded, tested with a multiplication, listed and removed', async () => {
    const { code, out, err } = await gpu('install', 'tensorflow', '--json');
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(files.seen).toEqual([LIBRARY, BINDING]);
    const told = events(out);
    expect(told.flatMap((e) => (e.kind === 'step' ? [e.step] : []))).toEqual(
      expect.arrayContaining(['checking', 'copying', 'downloading', 'verifying']),
    );
    const whole = ARCHIVES![0].length;
    expect(told).toContainEqual(expect.objectContaining({ kind: 'progress', total: whole, received: whole }));
    expect(told.at(-1)).toEqual({
      kind: 'result',
      part: 'tensorflow',
      version: '4.22.0',
      already: false,
      usable: true,
      unpinned: [LIBRARY, BINDING].map((path) => path.split('/').at(-1)),
    });
    expect(left()).toEqual(['tensorflow']);
    expect(await state('tensorflow')).toMatchObject({ installed: { version: '4.22.0', usable: true } });
    expect((await gpu('check', 'tensorflow')).code).toBe(0);

    // The manifest that a trainer loads, at the documented path.
    const manifest = join(storage, 'gpu/tensorflow/node_modules/@tensorflow/tfjs-node-gpu/package.json');
    expect(JSON.parse(readFileSync(manifest, 'utf8'))).toMatchObject({ version: '4.22.0' });

    const again = await gpu('install', 'tensorflow', '--json');
    expect(events(again.out).at(-1)).toMatchObject({ already: true, usable: true });
    expect(files.seen).toHaveLength(2);

    expect((await gpu('remove', 'tensorflow')).code).toBe(0);
    expect(left()).toEqual([]);
    expect((await gpu('remove', 'tensorflow')).out).toContain('was not installed');
  });

  test('without a GPU is installed and reported as unusable', async () => {
    files.add(BINDING, tensorflowArchives(false)[1]);
    const { code, err } = await gpu('install', 'tensorflow');
    expect(code).toBe(0);
    expect(err).toContain('is installed but not usable: no GPU was found');
    expect(await state('tensorflow')).toMatchObject({ installed: { usable: false } });
    const checked = await gpu('check', 'tensorflow');
    expect(checked.code).toBe(19);
    expect(checked.err).toContain('nvidia-smi');
  });

  test.each([
    ['a missing library', LIBRARY, 404, `The server does not have`],
    ['a missing binding', BINDING, 404, `The server does not have`],
    ['a server error', LIBRARY, 503, 'The server responded with 503'],
    ['a proxy that requires a password', BINDING, 407, 'requires a user name and a password'],
    ['a connection that breaks', LIBRARY, 'break', 'was interrupted after'],
    ['a binding that breaks off', BINDING, 'break', 'was interrupted after'],
    ['a server that stops responding', LIBRARY, 'hang', 'sent nothing for 2 s'],
  ] as const)('leaves nothing after %s and gives a hint', async (_, path, manner, message) => {
    files.answer(path, manner);
    const { code, err } = await gpu('install', 'tensorflow', '--timeout', '2');
    expect(err).toContain(message);
    // Each error has one hint.
    expect(err.trim().split('\n').at(-1)).toMatch(/^ {7}\S/);
    expect(code).toBe(19);
    expect(left()).toEqual([]);
  });

  test.each([
    ['library', LIBRARY],
    ['binding', BINDING],
  ])('leaves nothing if the %s is not an archive', async (_, path) => {
    files.add(path, Buffer.alloc(100_000, 'this is not an archive. '));
    const { code, err } = await gpu('install', 'tensorflow');
    expect(err).toContain('is not a valid archive');
    expect(code).toBe(19);
    expect(left()).toEqual([]);
  });

  test('counts as damaged if the binding does not load, and is not kept', async () => {
    files.add(BINDING, tarOfText());
    const { code, err } = await gpu('install', 'tensorflow', '--force');
    expect(err).toContain('are incomplete or damaged');
    expect(code).toBe(19);
    expect(left()).toEqual([]);
    // Its hash is not kept either, so the right one can be installed.
    files.add(BINDING, ARCHIVES![1]);
    expect((await gpu('install', 'tensorflow')).code).toBe(0);
  });

  test('rejects different bytes under a name that was installed before and keeps the installation', async () => {
    const first = await gpu('install', 'tensorflow');
    expect(first.err).toContain('it was recorded, to be compared at later installs');
    const before = await state('tensorflow');
    files.add(BINDING, tensorflowArchives(false)[1]);
    const { code, err } = await gpu('install', 'tensorflow', '--force');
    expect(err).toContain(
      'differs from the file of the same name that was installed before: its SHA-512 has changed',
    );
    expect(err).toContain('gpu-hashes.json');
    expect(code).toBe(19);
    expect(left()).toEqual(['tensorflow']);
    expect(await state('tensorflow')).toEqual(before);
    expect((await gpu('check', 'tensorflow')).code).toBe(0);
    // Removing it keeps the recorded hashes.
    await gpu('remove', 'tensorflow');
    expect((await gpu('install', 'tensorflow')).code).toBe(19);
    files.add(BINDING, ARCHIVES![1]);
    expect((await gpu('install', 'tensorflow')).code).toBe(0);
  });

  test('compares a file that a mirror redirects under the requested name', async () => {
    files.redirect(BINDING, '/store/4f1c?part=1');
    files.add('/store/4f1c?part=1', ARCHIVES![1]);
    const { code, out } = await gpu('install', 'tensorflow', '--json');
    expect(code).toBe(0);
    expect(events(out).at(-1)).toMatchObject({
      unpinned: [LIBRARY, BINDING].map((path) => path.split('/').at(-1)),
    });
    files.redirect(BINDING, '/store/other.tar.gz');
    files.add('/store/other.tar.gz', tensorflowArchives(false)[1]);
    const again = await gpu('install', 'tensorflow', '--force');
    expect(again.err).toContain(
      `${BINDING} differs from the file of the same name that was installed before`,
    );
    expect(again.code).toBe(19);
  });

  test('that was changed after the install is named by check, not loaded, and installed again', async () => {
    expect((await gpu('install', 'tensorflow')).code).toBe(0);
    const { files: hashes } = (await state('tensorflow')).installed!;
    const [library] = Object.keys(hashes!).filter((path) => path.endsWith('tfjs_binding.node'));
    appendFileSync(join(storage, 'gpu/tensorflow', library), 'x');
    const { code, err } = await gpu('check', 'tensorflow');
    expect(err).toContain(`${library} is not the file that was installed`);
    expect(code).toBe(19);
    expect((await gpu('install', 'tensorflow')).code).toBe(0);
    expect((await gpu('check', 'tensorflow')).code).toBe(0);
  });

  test.each(['SIGINT', 'SIGKILL'] as const)('leaves nothing when canceled with %s', async (signal) => {
    files.answer(LIBRARY, 'hang');
    const child = start('install', 'tensorflow');
    while (files.seen.length === 0) await wait(50);
    await wait(300);
    // With its child processes, as a terminal and the editor do.
    process.kill(-child.pid!, signal);
    await new Promise((resolve) => child.once('close', resolve));
    if (signal === 'SIGKILL') await gpu('list');
    expect(left()).toEqual([]);
    files.answer(LIBRARY, 'whole');
    expect((await gpu('install', 'tensorflow')).code).toBe(0);
  });

  test('reports that another install is running', async () => {
    files.answer(LIBRARY, 'hang');
    start('install', 'tensorflow');
    while (files.seen.length === 0) await wait(50);
    const { code, err } = await gpu('install', 'tensorflow');
    expect(code).toBe(19);
    expect(err).toContain('is already being installed');
    expect(left()).toEqual(['.installing-tensorflow']);
  });
});

test.skipIf(!ARCHIVES)(
  'TensorFlow can be installed through a proxy, from the hosts that the package names',
  async () => {
    const [library, binding] = ARCHIVES!;
    files.add(LIBRARY, library);
    files.add(`/tf-builds/pre-built-binary${BINDING}`, binding);
    env = await serveBehindProxy(files, 'storage.googleapis.com');
    const { code, err } = await gpu('install', 'tensorflow');
    expect(err).toContain('is installed and usable');
    expect(code).toBe(0);
    expect(files.seen.filter((path) => path.startsWith('CONNECT'))).toHaveLength(2);
  },
);

const NUPKG =
  '/v3-flatcontainer/microsoft.ml.onnxruntime.gpu.linux/1.30.0/microsoft.ml.onnxruntime.gpu.linux.1.30.0.nupkg';
const PACKAGE = ARCHIVES && nupkg();
const LEAF = '/v3/registration5-semver1/microsoft.ml.onnxruntime.gpu.linux/1.30.0.json';
const ENTRY = '/v3/catalog0/data/2026.01.01/microsoft.ml.onnxruntime.gpu.linux.1.30.0.json';

/** Adds NuGet's catalog entry of a package, with its SHA-512. */
function state512(bytes: Buffer): void {
  files.add(LEAF, { catalogEntry: `https://api.nuget.org${ENTRY}` });
  const packageHash = createHash('sha512').update(bytes).digest('base64');
  files.add(ENTRY, { packageHash, packageHashAlgorithm: 'SHA512' });
}

describe.skipIf(!PACKAGE)('the CUDA provider, through a proxy with a private certificate', () => {
  beforeEach(async () => {
    files.add('/v3/index.json', {
      resources: [{ '@type': 'PackageBaseAddress/3.0.0', '@id': 'https://api.nuget.org/v3-flatcontainer/' }],
    });
    files.add('/v3-flatcontainer/microsoft.ml.onnxruntime.gpu.linux/index.json', { versions: ['1.30.0'] });
    files.add(NUPKG, PACKAGE!);
    state512(PACKAGE!);
    env = await serveBehindProxy(files, 'api.nuget.org');
  });

  test('is downloaded, a missing CUDA library is named, and training without it continues', async () => {
    const { code, out, err } = await gpu('install', 'cuda', '--json');
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(files.seen).toContain('CONNECT api.nuget.org:443');
    expect(files.seen).toContain(ENTRY);
    expect(events(out).at(-1)).not.toHaveProperty('unpinned');
    expect(events(out)).toContainEqual(
      expect.objectContaining({ kind: 'progress', total: PACKAGE!.length, received: PACKAGE!.length }),
    );
    expect(events(out).at(-1)).toMatchObject({
      usable: false,
      problem: expect.stringContaining('libcublasLt.so.99 is missing') as string,
      hint: expect.stringContaining('CUDA 12 and cuDNN 9') as string,
    });
    expect(left()).toEqual(['cuda']);
    const checked = await gpu('check', 'cuda');
    expect(checked.code).toBe(19);
    expect(checked.err).toContain('libcublasLt.so.99');

    // From now on, training loads the runtime beside the provider.
    const lab = new Lab({ training: { epochs: 1 } });
    const train = spawnSync(process.execPath, [CLI, 'train', lab.experiment], {
      env: { ...process.env, AURORA_GPU_SUPPORT: join(storage, 'gpu'), NODE_DEBUG: 'module' },
      encoding: 'utf8',
      maxBuffer: 64 * 2 ** 20,
    });
    lab.remove();
    expect(train.status).toBe(0);
    const full = join(storage, 'gpu/cuda/node_modules/onnxruntime-node/dist/index.js');
    expect(train.stderr).toContain(`load "${full}"`);
    expect(train.stderr).not.toContain(`load "${resolve('node_modules/onnxruntime-node')}`);

    expect((await gpu('remove', 'cuda')).code).toBe(0);
    expect(left()).toEqual([]);
  });

  test("is rejected and not kept if its bytes differ from the publisher's", async () => {
    state512(Buffer.from('the publisher’s package'));
    const { code, err } = await gpu('install', 'cuda');
    expect(err).toContain('differs from the one that its publisher states');
    expect(err).toContain('Check whether a proxy or a mirror changed it');
    expect(code).toBe(19);
    expect(left()).toEqual([]);
    expect(existsSync(join(storage, 'gpu-hashes.json'))).toBe(false);
  });

  test('is rejected if the download path does not contain the package name', async () => {
    files.add('/v3/index.json', {
      resources: [{ '@type': 'PackageBaseAddress/3.0.0', '@id': 'https://api.nuget.org/packages?of=' }],
    });
    const name = 'microsoft.ml.onnxruntime.gpu.linux';
    files.add(`/packages?of=${name}/index.json`, { versions: ['1.30.0'] });
    files.add(`/packages?of=${name}/1.30.0/${name}.1.30.0.nupkg`, PACKAGE!);
    const { code, err } = await gpu('install', 'cuda');
    expect(err).toContain('none could be verified');
    expect(code).toBe(19);
    expect(left()).toEqual([]);
  });

  test('is installed with a recorded hash and a warning if the publisher gives none', async () => {
    files.answer(LEAF, 404);
    const { code, out } = await gpu('install', 'cuda', '--json');
    expect(code).toBe(0);
    expect(events(out).at(-1)).toMatchObject({ unpinned: [NUPKG.split('/').at(-1)] });
    expect(JSON.parse(readFileSync(join(storage, 'gpu-hashes.json'), 'utf8'))).toEqual({
      [NUPKG.split('/').at(-1)!]: createHash('sha512').update(PACKAGE!).digest('base64'),
    });
  });

  test('leaves nothing if the package lacks the provider', async () => {
    files.add(NUPKG, nupkg(false));
    const { code, err } = await gpu('install', 'cuda');
    expect(err).toContain('is not a valid archive');
    expect(code).toBe(19);
    expect(left()).toEqual([]);
  });

  test('leaves nothing if the package is truncated', async () => {
    files.add(NUPKG, PACKAGE!.subarray(0, 500_000));
    const { code, err } = await gpu('install', 'cuda');
    expect(err).toContain('is not a valid archive');
    expect(code).toBe(19);
    expect(left()).toEqual([]);
  });

  test.each([
    ['404', 404, 'The server does not have'],
    ['a connection that breaks', 'break', 'was interrupted after'],
    ['a server that stops responding', 'hang', 'sent nothing for 2 s'],
  ] as const)('leaves nothing after %s and gives a hint', async (_, manner, message) => {
    files.answer(NUPKG, manner);
    const { code, err } = await gpu('install', 'cuda', '--timeout', '2');
    expect(err).toContain(message);
    expect(code).toBe(19);
    expect(left()).toEqual([]);
  });

  test('names a certificate that is not trusted', async () => {
    delete env.NODE_EXTRA_CA_CERTS;
    const { code, err } = await gpu('install', 'cuda');
    expect(err).toContain('is not trusted');
    expect(err).toContain('NODE_EXTRA_CA_CERTS');
    expect(code).toBe(19);
  });
});

test('a storage folder that cannot be written is named', async () => {
  env = {};
  writeFileSync(join(storage, 'gpu'), 'a file where a folder should be');
  const { code, err } = await gpu('install', 'tensorflow');
  expect(code).toBe(18);
  expect(err).toContain(join(storage, 'gpu'));
  expect(err).toContain('then install again');
});

test('an unknown part is a usage error', async () => {
  env = {};
  const { code, err } = await gpu('install', 'cud');
  expect(code).toBe(2);
  expect(err).toContain('Did you mean "cuda"?');
});

test('a network that cannot be reached is named', async () => {
  env = { HTTPS_PROXY: 'http://127.0.0.1:9' };
  const { code, err } = await gpu('install', 'tensorflow');
  expect(code).toBe(19);
  expect(err).toContain('could not be reached through the proxy http://127.0.0.1:9');
});

/** A tarball in which the binding is text. */
function tarOfText(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'aurora-text-'));
  try {
    writeFileSync(join(folder, 'tfjs_binding.node'), 'not a library');
    return tarball(folder, './tfjs_binding.node');
  } finally {
    rmSync(folder, { recursive: true });
  }
}
