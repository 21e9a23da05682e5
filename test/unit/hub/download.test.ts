import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cachedCommit, cachedPath } from '../../../src/hub/cache';
import type { Hub } from '../../../src/hub/hub-client';
import { download } from '../../../src/hub/download/download';
import type { DownloadEvent, DownloadOptions } from '../../../src/hub/types';
import { snapshotPath } from '../../../src/files/hub-cache';
import { filesOf } from '../../../src/files/pattern';
import { isCached, isCachedLater } from '../../../src/runs/experiment/hub-references';
import type { Fault } from '../../hub/faults';
import { buildProgram, startProgram } from '../../hub/program';
import { commitOf, largeFile, someBytes, type Repository, type StoredFile } from '../../hub/repository';
import { scratchFolder } from '../../scratch';
import { servedModel } from './hub';

const { server, model, newCache, hub: hubFor } = servedModel();
const paths = model.files.map(({ path }) => path);
const [config, large, other] = [model.files[1], model.files[4], model.files[5]];
const BLOCK = 100_000;

beforeEach(() => {
  server.fault = () => undefined;
  server.served = () => undefined;
  server.xet = 'refused';
  server.seen.length = 0;
});

const repoOf = (hub: Hub) => join(hub.settings.cache, 'models--an-org--a-model');
const blobOf = ({ sha256, gitSha1 }: StoredFile) => sha256 ?? gitSha1;
const content = (routes = ['resolve', 'store']) => server.seen.filter((r) => routes.includes(r.route));

async function get(
  hub: Hub,
  wanted = paths,
  options: DownloadOptions = {},
  revision = 'main',
): Promise<string> {
  const info = await hub.info('model', model.id, revision);
  return download(hub, info, wanted, { block: BLOCK, ...options });
}

/** The names of all files and links below a folder. */
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !lstatSync(join(folder, name)).isDirectory())
    .sort();

function expectModel(folder: string, files = model.files): void {
  expect(filesIn(folder)).toEqual(files.map(({ path }) => path).sort());
  for (const { path, bytes } of files)
    expect(readFileSync(join(folder, path)).equals(bytes), path).toBe(true);
}

describe('a download', () => {
  it('writes the layout of huggingface_hub', async () => {
    const hub = hubFor();
    const folder = await get(hub);
    expect(folder).toBe(join(repoOf(hub), 'snapshots', model.commit));
    expectModel(folder);
    for (const file of model.files) {
      const up = '../'.repeat(file.path.split('/').length + 1);
      expect(readlinkSync(join(folder, file.path))).toBe(`${up}blobs/${blobOf(file)}`);
    }
    expect(readdirSync(join(repoOf(hub), 'blobs')).sort()).toEqual(model.files.map(blobOf).sort());
    expect(readFileSync(join(repoOf(hub), 'refs/main'), 'utf8')).toBe(model.commit);
    expect(filesIn(join(hub.settings.cache, '.locks'))).toEqual([]);
  });

  it('counts the bytes of all files, and those that are there from the start', async () => {
    const cache = newCache();
    await get(hubFor({ cache }), [config.path]);
    const events: DownloadEvent[] = [];
    await get(hubFor({ cache }), [config.path, other.path], { tell: (e) => events.push(e) });
    const total = config.bytes.length + other.bytes.length;
    expect(events[0]).toEqual({ kind: 'started', files: 2, done: config.bytes.length, total });
    expect(events[1]).toEqual({ kind: 'file', path: config.path, size: config.bytes.length, cached: true });
    expect(events.filter((e) => e.kind === 'progress').at(-1)).toMatchObject({ done: total, total });
    expect(events.at(-1)).toEqual({
      kind: 'file',
      path: other.path,
      size: other.bytes.length,
      cached: false,
    });
  });

  it('asks for nothing that is there, and for a blob of another commit only its link', async () => {
    const cache = newCache();
    await get(hubFor({ cache }));
    server.seen.length = 0;
    await get(hubFor({ cache }));
    expect(content(['resolve', 'redirect', 'store'])).toEqual([]);
    const { commit } = model;
    model.commit = 'c'.repeat(40);
    try {
      expectModel(await get(hubFor({ cache })));
      expect(content(['resolve', 'redirect', 'store'])).toEqual([]);
      expect(cachedCommit(cache, { kind: 'model', repo: model.id }, 'main')).toBe(model.commit);
    } finally {
      model.commit = commit;
    }
  });

  it.each([
    ['a small file', config],
    ['a large file', large],
    ['a file in Git LFS', other],
  ])('fetches %s again that has the right size and other bytes, and no other', async (_, file) => {
    for (const symlinks of [true, false]) {
      const cache = newCache();
      const folder = await get(hubFor({ cache }), paths, { symlinks });
      const damaged = Buffer.from(file.bytes);
      damaged[damaged.length - 1]! ^= 1;
      writeFileSync(join(folder, file.path), damaged);
      server.seen.length = 0;
      expectModel(await get(hubFor({ cache }), paths, { symlinks }));
      const fetched = content(['resolve', 'redirect']).map((r) => r.target.split('/').at(-1));
      expect(new Set(fetched)).toEqual(new Set([file.path]));
      const offline = hubFor({ cache, offline: true });
      writeFileSync(join(folder, file.path), damaged);
      if (!symlinks) continue;
      const info = await offline.info('model', model.id);
      await expect(download(offline, info, [file.path])).rejects.toMatchObject({
        kind: 'network',
        message: expect.stringMatching(/is missing or damaged/) as string,
      });
    }
  });

  it('resumes where a server that cuts, stalls or redirects to an expired address stopped', async () => {
    const faults: Fault[] = [
      { kind: 'cut', after: 70_000 },
      { kind: 'stall', after: 10_000 },
      { kind: 'status', status: 403 },
      { kind: 'wrong length', by: 10 },
      { kind: 'wrong part', by: 1 },
    ];
    server.fault = ({ route }) => (route === 'store' ? faults.shift() : undefined);
    const events: DownloadEvent[] = [];
    const hub = hubFor();
    await get(hub, [other.path], { tell: (e) => events.push(e) });
    expect(faults).toEqual([]);
    const starts = content().map((r) => Number(/\d+/.exec(r.range!)![0]));
    expect([starts[0], starts.slice(-2)]).toEqual([0, [100_000, 200_000]]);
    // The part of an answer that arrived was kept; a lost connection takes some of it along.
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect(starts.at(-3)).toBeGreaterThan(0);
    expect(events.filter((e) => e.kind === 'retrying').length).toBe(5);
    expectModel(await get(hub, [other.path]), [other]);
  });

  it('takes the file from a server without ranges, and skips what it has', async () => {
    let cuts = 1;
    const hub = hubFor();
    server.fault = ({ route }) =>
      route === 'store' && cuts-- > 0 ? { kind: 'cut', after: 150_000 } : undefined;
    server.ranges = false;
    try {
      expectModel(await get(hub, [other.path]), [other]);
    } finally {
      server.ranges = true;
    }
    expect(content().length).toBe(2);
  });

  it('throws away a file with a wrong byte and fetches it once more', async () => {
    const faults: Fault[] = [{ kind: 'wrong bytes', at: 5 }];
    server.fault = ({ route }) => (route === 'store' ? faults.shift() : undefined);
    const events: DownloadEvent[] = [];
    expectModel(await get(hubFor(), [other.path], { tell: (e) => events.push(e) }), [other]);
    expect(content().length).toBe(6);
    expect(events.find((e) => e.kind === 'retrying')).toMatchObject({
      reason: 'other.safetensors does not have the hash that the hub states: it is downloaded again.',
    });
  });

  it.each([config, other])('refuses $path if it is wrong twice, and keeps nothing of it', async (file) => {
    server.fault = ({ route }) =>
      ['store', 'resolve'].includes(route) ? { kind: 'wrong bytes', at: 5 } : undefined;
    const hub = hubFor();
    await expect(get(hub, [file.path])).rejects.toMatchObject({
      kind: 'network',
      message: `${file.path} of an-org/a-model was downloaded twice and does not have the hash that ${new URL(server.endpoint).host} states.`,
    });
    expect(filesIn(repoOf(hub))).toEqual([]);
  });

  it('stops when it is aborted, and resumes from there later', async () => {
    const cache = newCache();
    const stop = new AbortController();
    server.fault = ({ route }) => (route === 'store' ? { kind: 'slow', pauseMs: 5, pieces: 10 } : undefined);
    const tell = (e: DownloadEvent) => {
      if (e.kind === 'progress' && e.done > 250_000) stop.abort();
    };
    server.sending = ({ route }) => {
      if (route === 'store' && content(['store']).length === 3) stop.abort();
    };
    await expect(get(hubFor({ cache }), [other.path], { tell, signal: stop.signal })).rejects.toMatchObject({
      kind: 'stopped',
    });
    server.sending = () => undefined;
    server.fault = () => undefined;
    server.seen.length = 0;
    expectModel(await get(hubFor({ cache }), [other.path]), [other]);
    expect(content().map((r) => r.range)).toEqual(['bytes=200000-299999']);
  });

  it('does not start if the disk has no room for it', async () => {
    const hub = hubFor();
    const info = await hub.info('model', model.id);
    const huge = { ...info.files.find((f) => f.path === other.path)!, size: 1e15 };
    await expect(download(hub, { ...info, files: [huge] }, [other.path])).rejects.toMatchObject({
      kind: 'disk',
      message: expect.stringMatching(/^The download needs 1000 TB, and only .+ are free in /),
    });
    expect(existsSync(hub.settings.cache)).toBe(false);
  });

  it('does not take a large file without a hash of its content, nor a name that is not listed', async () => {
    const hub = hubFor();
    const info = await hub.info('model', model.id);
    const unstated = { path: 'big.bin', size: 65_000_000, gitSha1: 'a'.repeat(40) };
    await expect(download(hub, { ...info, files: [unstated] }, ['big.bin'])).rejects.toMatchObject({
      message: 'The hub states no SHA-256 for big.bin, which has 65.0 MB.',
    });
    await expect(download(hub, info, ['none.bin'])).rejects.toMatchObject({
      message: 'There is no none.bin in the model an-org/a-model.',
    });
  });
});

describe('a split in several files', () => {
  const split: Repository = {
    kind: 'dataset',
    id: 'an-org/a-split',
    commit: commitOf('a split'),
    refs: ['refs/convert/parquet'],
    files: [0, 1, 2].map((n) => largeFile(`default/train/000${n}.parquet`, someBytes(5000, n))),
  };
  server.repositories.push(split);
  const pattern = 'default/train/*.parquet';
  const ref = { kind: 'dataset', repo: split.id, revision: split.commit, path: pattern } as const;

  it('is not taken for whole while one of them is missing', async () => {
    const hub = hubFor();
    const { cache } = hub.settings;
    const stop = new AbortController();
    const tell = ({ kind }: DownloadEvent) => kind === 'file' && stop.abort();
    const info = await hub.info('dataset', split.id, 'refs/convert/parquet');
    const wanted = split.files.map(({ path }) => path);
    const stopped = download(hub, info, wanted, { tell, signal: stop.signal });
    await expect(stopped).rejects.toMatchObject({ kind: 'stopped' });
    expect([isCached(ref, cache), await isCachedLater(ref, cache)]).toEqual([false, false]);
    expect(() => filesOf(snapshotPath(cache, ref))).toThrow(/has no 0000\.parquet, but has other files/);
    await download(hub, info, wanted);
    expect([isCached(ref, cache), await isCachedLater(ref, cache)]).toEqual([true, true]);
    expect(filesOf(snapshotPath(cache, ref)).length).toBe(3);
  });
});

describe('Xet', () => {
  it('gives the bytes through the hub’s client library, in blocks', async () => {
    server.xet = 'works';
    const hub = hubFor({ token: server.token });
    expectModel(await get(hub, [large.path]), [large]);
    expect(content(['store'])).toEqual([]);
    expect(content(['xorb']).length).toBe(11);
    const elsewhere = server.seen.filter((r) => r.host === 'store');
    expect(elsewhere.filter((r) => r.headers.includes(server.token))).toEqual([]);
  });

  it.each([
    ['refuses', (): Fault | undefined => undefined],
    ['fails midway', (): Fault => ({ kind: 'cut', after: 30_000 })],
    ['sends nonsense', (): Fault => ({ kind: 'wrong bytes', at: 0 })],
    ['has wrong bytes', (): Fault => ({ kind: 'wrong bytes', at: 5000 })],
  ])('is left for the plain address where it %s', async (how, fault) => {
    server.xet = how === 'refuses' ? 'refused' : 'works';
    // The library repeats what fails once.
    server.fault = ({ route }) => (route === 'xorb' ? fault() : undefined);
    const hub = hubFor();
    expectModel(await get(hub, [large.path]), [large]);
    expect(content(['store']).length).toBeGreaterThan(9);
  });

  it('is not asked for if HF_HUB_DISABLE_XET is set', async () => {
    server.xet = 'works';
    expectModel(await get(hubFor({ xet: false }), [large.path]), [large]);
    expect(content(['xet-token', 'xorb'])).toEqual([]);
  });
});

describe('two processes', () => {
  const root = scratchFolder('hub-two');
  const program = join(root, 'download.cjs');
  beforeAll(() => buildProgram(program));

  it('that fetch the same files fetch each only once', async () => {
    server.fault = ({ route }) => (route === 'store' ? { kind: 'slow', pauseMs: 4, pieces: 4 } : undefined);
    const env = { HOME: root, HF_HOME: root, HF_ENDPOINT: server.endpoint };
    const started = [1, 2, 3].map(() => startProgram(program, [model.id, String(BLOCK)], env));
    const ends = await Promise.all(started.map(({ ended }) => ended));
    expect(ends.map(({ code, err }) => [code, err])).toEqual(ends.map(() => [0, '']));
    const ranges = content().map((r) => `${r.target} ${r.range}`);
    expect(ranges.length).toBe(new Set(ranges).size);
    expect(ends.some(({ out }) => out.includes('"waiting"'))).toBe(true);
    expectModel(join(root, 'hub/models--an-org--a-model/snapshots', model.commit));
  });
});

describe('a cache that Python wrote', () => {
  /**
   * As file_download.py of huggingface_hub leaves it (_hf_hub_download_to_cache_dir, _create_symlink,
   * _cache_commit_hash_for_specific_revision), with what an interrupted download leaves.
   */
  function pythonCache(repository: Repository, files: readonly StoredFile[], shared = false): string {
    const cache = newCache();
    const repo = join(cache, `models--${repository.id.replace('/', '--')}`);
    const snapshot = join(repo, 'snapshots', repository.commit);
    for (const at of ['blobs', 'refs', `.no_exist/${repository.commit}`, `snapshots/${repository.commit}`])
      mkdirSync(join(repo, at), { recursive: true });
    for (const file of files) {
      const blob = join(repo, 'blobs', blobOf(file));
      if (shared && file.xet) {
        // _shared_blobs.py, since Xet: the blob itself links to the store of all repositories.
        const stored = join(cache, 'blobs', file.xet.slice(0, 2), file.xet);
        mkdirSync(dirname(stored), { recursive: true });
        writeFileSync(stored, file.bytes);
        symlinkSync(relative(dirname(blob), stored), blob);
      } else writeFileSync(blob, file.bytes);
      const pointer = join(snapshot, file.path);
      mkdirSync(dirname(pointer), { recursive: true });
      symlinkSync(relative(dirname(pointer), blob), pointer);
    }
    writeFileSync(join(repo, 'refs/main'), repository.commit);
    writeFileSync(join(repo, '.no_exist', repository.commit, 'added_tokens.json'), '');
    const locks = join(cache, '.locks', `models--${repository.id.replace('/', '--')}`);
    mkdirSync(locks, { recursive: true });
    for (const file of files) writeFileSync(join(locks, `${blobOf(file)}.lock`), '');
    return cache;
  }

  it.each([false, true])('is used as it is (with its shared store: %s)', async (shared) => {
    const cache = pythonCache(model, model.files, shared);
    const before = filesIn(cache);
    expectModel(await get(hubFor({ cache })));
    expect(content(['resolve', 'redirect', 'store'])).toEqual([]);
    expect(filesIn(cache)).toEqual(before);
    const reference = { kind: 'model', repo: model.id, revision: model.commit } as const;
    expect(readFileSync(cachedPath(cache, { ...reference, path: config.path })!).equals(config.bytes)).toBe(
      true,
    );
    expect(cachedPath(cache, { ...reference, path: '' })).toBe(
      join(cache, 'models--an-org--a-model/snapshots', model.commit),
    );
    expect(cachedPath(cache, { ...reference, path: 'added_tokens.json' })).toBeUndefined();
  });

  it('is described without the network', async () => {
    const cache = pythonCache(model, [config, large]);
    const hub = hubFor({ cache, offline: true });
    const info = await hub.info('model', model.id);
    expect(info.commit).toBe(model.commit);
    expect(info.files.map(({ path, size, sha256 }) => [path, size, sha256])).toEqual([
      [config.path, config.bytes.length, undefined],
      [large.path, large.bytes.length, large.sha256],
    ]);
    expect(await download(hub, info, [config.path, large.path])).toBe(
      join(cache, 'models--an-org--a-model/snapshots', model.commit),
    );
    expect(Buffer.from(await hub.range({ repo: info, file: info.files[1] }, 0, 8))).toEqual(
      large.bytes.subarray(0, 8),
    );
    expect(server.seen).toEqual([]);
  });

  it('is completed where a file is missing, too short or a link to nothing', async () => {
    const cache = pythonCache(model, model.files);
    const repo = join(cache, 'models--an-org--a-model');
    rmSync(join(repo, 'blobs', blobOf(config)));
    writeFileSync(join(repo, 'blobs', blobOf(other)), other.bytes.subarray(0, 1000));
    // Python's own unfinished file is left to Python.
    writeFileSync(join(repo, 'blobs', `${blobOf(large)}.incomplete`), large.bytes.subarray(0, 1000));
    expectModel(await get(hubFor({ cache })));
    expect(content(['resolve', 'redirect']).map((r) => r.target.split('/').at(-1))).toEqual([
      other.path,
      config.path,
    ]);
    expect(statSync(join(repo, 'blobs', `${blobOf(large)}.incomplete`)).size).toBe(1000);
  });
});

describe('without symbolic links, as on Windows', () => {
  it('snapshots hold the files, and blobs are not used', async () => {
    const hub = hubFor();
    const folder = await get(hub, paths, { symlinks: false });
    expectModel(folder);
    expect(paths.filter((path) => lstatSync(join(folder, path)).isSymbolicLink())).toEqual([]);
    expect(readdirSync(join(repoOf(hub), 'blobs'))).toEqual([]);
    server.seen.length = 0;
    await get(hub, paths, { symlinks: false });
    expect(content()).toEqual([]);
  });

  it('a blob that is there is copied', async () => {
    const cache = newCache();
    const folder = await get(hubFor({ cache }));
    rmSync(folder, { recursive: true });
    server.seen.length = 0;
    await get(hubFor({ cache }), paths, { symlinks: false });
    expectModel(folder);
    expect(lstatSync(join(folder, large.path)).isSymbolicLink()).toBe(false);
    expect(existsSync(join(cache, 'models--an-org--a-model/blobs', blobOf(large)))).toBe(true);
    expect(content(['resolve', 'redirect', 'store'])).toEqual([]);
  });
});
