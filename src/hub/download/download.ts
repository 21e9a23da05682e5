import { createHash } from 'node:crypto';
import { createReadStream, rmSync, statfsSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { bytes } from '../../base/number-text';
import { diskError } from '../../files/atomic';
import { makeFolders } from '../../files/folder';
import { hashFile, rememberHash } from '../../files/hash';
import { repoFolder, snapshotFolder, snapshotPath } from '../../files/hub-cache';
import { identityOf } from '../../files/identity';
import { blobName, cachedCommit, referenceTo, refFile } from '../cache';
import type { Hub } from '../hub-client';
import { repoWords } from '../hub-api';
import type { DownloadEvent, DownloadOptions, RepoFile, RepoInfo } from '../types';
import { fill, Source } from './fill';
import { withLock } from './lock';
import { hasSymlinks, place, type Places, writeRef } from './place-download';

/** Large enough that the request costs little beside it, small enough to lose when a process ends. */
const BLOCK = 32 * 1024 * 1024;

/**
 * Downloads files of a repository into the cache: those that are there already, and have the hash that the hub states,
 * without a request, the others resumed where an earlier download stopped, and each under its own name only when it is
 * complete and verified.
 *
 * @param paths of files that `info` lists
 * @returns the snapshot's folder
 * @throws AuroraError 'network', 'gated', 'disk', 'stopped'
 */
export async function download(
  hub: Hub,
  info: RepoInfo,
  paths: readonly string[],
  options: DownloadOptions = {},
): Promise<string> {
  const { cache } = hub.settings;
  const wanted = listed(info, paths);
  const repo = { kind: info.kind, repo: info.id };
  const placesOf = (file: RepoFile) => placesIn(cache, info, file);
  const snapshot = snapshotFolder(cache, { ...repo, revision: info.commit });
  const missing: RepoFile[] = [];
  for (const file of wanted) if (!(await isIntact(placesOf(file).pointer, file))) missing.push(file);
  const progress = new Progress(wanted, missing, options.tell);
  if (missing.length > 0) {
    if (hub.settings.offline) throw notIntact(missing[0]!, placesOf(missing[0]!));
    missing.forEach(requireVerifiable);
    const blobs = join(repoFolder(cache, repo), 'blobs');
    requireSpace(cache, await bytesLeft(hub, info, paths));
    try {
      makeFolders(blobs);
      // Without it, `hf cache` calls a repository damaged whose download was interrupted.
      makeFolders(snapshot);
      options = { ...options, symlinks: options.symlinks ?? hasSymlinks(cache) };
    } catch (e) {
      throw diskError(cache, e);
    }
  }
  // The file that names or begins a set comes last, config.json and the first of several files, so that a part is not
  // taken for all of it.
  for (const file of missing.reverse()) await fetchFile(hub, info, file, placesOf(file), progress, options);
  if (info.revision !== info.commit)
    writeRef(refFile(cache, repo, info.revision), cachedCommit(cache, repo, info.revision), info.commit);
  return snapshot;
}

/** The bytes that a download still has to write. */
export async function bytesLeft(
  { settings: { cache } }: Hub,
  info: RepoInfo,
  paths: readonly string[],
): Promise<number> {
  let left = 0;
  for (const file of listed(info, paths)) {
    const places = placesIn(cache, info, file);
    if (!(await isIntact(places.pointer, file))) left += await remaining(places, file);
  }
  return left;
}

function listed(info: RepoInfo, paths: readonly string[]): RepoFile[] {
  const files = new Map(info.files.map((file) => [file.path, file]));
  return paths.map((path) => files.get(path) ?? unlisted(info, path));
}

const placesIn = (cache: string, info: RepoInfo, file: RepoFile): Places => ({
  pointer: snapshotPath(cache, referenceTo(info, file.path)),
  blob: join(repoFolder(cache, { kind: info.kind, repo: info.id }), 'blobs', blobName(file)),
});

async function fetchFile(
  hub: Hub,
  info: RepoInfo,
  file: RepoFile,
  places: Places,
  progress: Progress,
  { signal, symlinks = true, block = BLOCK }: DownloadOptions,
): Promise<void> {
  const { path, size } = file;
  const partial = partialOf(places);
  const isDone = () => isIntact(places.pointer, file);
  const lock = {
    cache: hub.settings.cache,
    repo: repoFolder('', { kind: info.kind, repo: info.id }),
    blob: blobName(file),
    partial,
    signal,
    waiting: () => progress.tell({ kind: 'waiting', path }),
  };
  await withLock(lock, isDone, async (folder) => {
    if (await isIntact(places.blob, file)) return place(undefined, places, symlinks);
    const source = new Source(hub, { repo: info, file }, signal);
    const retry = {
      pause: hub.options.pause,
      signal,
      tell: (reason: string, seconds: number) => progress.tell({ kind: 'retrying', path, reason, seconds }),
    };
    for (let attempt = 1; ; attempt++) {
      try {
        const at = (bytes: number) => progress.at(path, bytes);
        const { least: worth } = hub.http;
        await fill({ path: partial, size, source, block, lock: folder, name: path, worth, at, ...retry });
        progress.tell({ kind: 'verifying', path });
        if (await isRight(partial, file)) break;
        rmSync(partial, { force: true });
      } catch (e) {
        throw diskError(partial, e);
      }
      if (attempt === 2) throw wrong(hub, info, file);
      retry.tell(`${path} does not have the hash that the hub states: it is downloaded again.`, 0);
      source.avoidXet();
    }
    place(partial, places, symlinks);
    remember(places.pointer, file);
  });
  progress.finish(path);
}

function unlisted(info: RepoInfo, path: string): never {
  const what = repoWords(info.kind, info.id);
  throw new AuroraError(
    'usage',
    `There is no ${path} in ${what}.`,
    'Check its name on the page of the repository.',
  );
}

/**
 * The unfinished file. Its name is not huggingface_hub's (`BLOB.incomplete`), which a Python process would append to
 * while this one writes.
 */
const partialOf = ({ blob }: Places): string => `${blob}.aurora.incomplete`;

async function remaining(places: Places, file: RepoFile): Promise<number> {
  if (await isIntact(places.blob, file)) return 0;
  const there = statSync(partialOf(places), { throwIfNoEntry: false })?.size ?? 0;
  return Math.max(0, file.size - there);
}

/** Runs identify their model by this hash; it need not be computed again. */
function remember(path: string, { sha256 }: RepoFile): void {
  if (sha256 !== undefined) rememberHash(identityOf(statSync(path, { bigint: true })), sha256);
}

const notIntact = ({ path }: RepoFile, { pointer }: Places): AuroraError =>
  new AuroraError(
    'network',
    `Offline mode is on, and ${path} is missing or damaged: ${pointer}.`,
    'Unset HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE to download it again.',
  );

const wrong = (hub: Hub, info: RepoInfo, { path }: RepoFile): AuroraError =>
  new AuroraError(
    'network',
    `${path} of ${info.id} was downloaded twice and does not have the hash that ${hub.http.endpoint.host} states.`,
    'Nothing of it was kept. If HF_ENDPOINT names a mirror, check it; otherwise, check whether a proxy changes files.',
  );

const EVERY_MS = 200;

/** Counts the bytes of all files of a download. */
class Progress {
  private readonly there: Map<string, number>;
  private readonly sizes: Map<string, number>;
  private readonly total: number;
  private last = 0;

  constructor(
    wanted: readonly RepoFile[],
    missing: readonly RepoFile[],
    private readonly listener: ((event: DownloadEvent) => void) | undefined,
  ) {
    this.sizes = new Map(wanted.map(({ path, size }) => [path, size]));
    this.total = [...this.sizes.values()].reduce((sum, size) => sum + size, 0);
    this.there = new Map(this.sizes);
    for (const { path } of missing) this.there.set(path, 0);
    this.tell({ kind: 'started', files: wanted.length, done: this.done, total: this.total });
    const absent = new Set(missing.map(({ path }) => path));
    for (const { path, size } of wanted)
      if (!absent.has(path)) this.tell({ kind: 'file', path, size, cached: true });
  }

  private get done(): number {
    return [...this.there.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  tell(event: DownloadEvent): void {
    this.listener?.(event);
  }

  at(path: string, bytes: number): void {
    this.there.set(path, bytes);
    const now = performance.now();
    if (now - this.last < EVERY_MS && bytes < this.sizes.get(path)!) return;
    this.last = now;
    this.tell({ kind: 'progress', path, done: this.done, total: this.total });
  }

  finish(path: string): void {
    const size = this.sizes.get(path)!;
    this.at(path, size);
    this.tell({ kind: 'file', path, size, cached: false });
  }
}

/** @throws AuroraError 'disk' if a folder, which need not exist yet, has not this many bytes of free space */
export function requireSpace(folder: string, needed: number): void {
  const free = freeSpace(folder);
  if (free === undefined || free >= needed) return;
  throw new AuroraError(
    'disk',
    `The download needs ${bytes(needed)}, and only ${bytes(free)} are free in ${folder}.`,
    'Free some space, or set HF_HUB_CACHE to a folder on another disk.',
  );
}

/** Undefined where the system does not report it. */
function freeSpace(folder: string): number | undefined {
  for (let at = folder; ; at = dirname(at)) {
    try {
      const { bavail, bsize } = statfsSync(at);
      return bavail * bsize;
    } catch (e) {
      const missing = (e as NodeJS.ErrnoException).code === 'ENOENT';
      if (!missing || dirname(at) === at) return undefined;
    }
  }
}

/** Git holds no larger files on the hub (10 MB). */
const MOST_SMALL = 64_000_000;

/**
 * True if a file on the disk is as the hub's listing states: by SHA-256 for large files, by the git blob's SHA-1 for
 * small ones. Reads the written bytes, not those that arrived.
 */
async function isRight(path: string, { size, sha256, gitSha1 }: RepoFile): Promise<boolean> {
  if ((await stat(path)).size !== size) return false;
  if (sha256 !== undefined) return (await hashFile(path, { again: true })).sha256 === sha256;
  return (await gitHash(path, size)) === gitSha1;
}

/**
 * True if a file in the cache is complete. Links are followed. A large file is not read again that was hashed before
 * and has not been written since; without the network, the hash of a file that is not a link is not known, and its size
 * counts.
 */
export async function isIntact(path: string, { size, sha256, gitSha1 }: RepoFile): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true || found.size !== size) return false;
  if (sha256 !== undefined) return (await hashFile(path)).sha256 === sha256;
  return !/^[0-9a-f]{40}$/.test(gitSha1) || (await gitHash(path, size)) === gitSha1;
}

/** The hash that `git hash-object` computes. */
async function gitHash(path: string, size: number): Promise<string> {
  const hash = createHash('sha1').update(`blob ${size}\0`);
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest('hex');
}

/** @throws AuroraError 'network' for a file that could not be verified within bounds */
function requireVerifiable({ path, size, sha256 }: RepoFile): void {
  if (sha256 !== undefined || size <= MOST_SMALL) return;
  throw new AuroraError(
    'network',
    `The hub states no SHA-256 for ${path}, which has ${bytes(size)}.`,
    'Only small files may be without. If HF_ENDPOINT names a mirror, check it.',
  );
}
