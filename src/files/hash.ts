import { createHash } from 'node:crypto';
import { closeSync, fstatSync, readFileSync, readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomic } from './atomic';
import { cacheFolder } from './cache-folder';
import { type FileIdentity, identityOf, isSettled, sameIdentity, sameWriting } from './identity';
import { openRegular, openRegularSync } from './read';

export interface HashedFile {
  sha256: string;
  identity: FileIdentity;
  /** True if any change since hashing started must show in the identity. */
  settled: boolean;
}

export interface HashOptions {
  cache?: HashCache;
  /** Reads the file even if its hash is known: its times may not show that it was written. */
  again?: boolean;
}

const PIECE = 1 << 22;
/** Reading a smaller file takes no longer than reading the cache. */
export const CACHED_FROM = 1 << 22;
const ATTEMPTS = 5;

/**
 * SHA-256 of a file, read in pieces. A large file that was hashed before and has not changed since is not read again.
 *
 * @throws Error (ENOENT, EACCES and so on) if it cannot be read, or is being written all the time
 */
export async function hashFile(
  path: string,
  { cache = HashCache.ofUser(), again = false }: HashOptions = {},
): Promise<HashedFile> {
  const file = await openRegular(path);
  try {
    for (let attempt = 1; ; attempt++) {
      const began = Date.now();
      const before = identityOf(await file.stat({ bigint: true }));
      const settled = isSettled(before, began);
      const cached = before.size >= CACHED_FROM;
      const known = cached && settled && !again ? cache.get(before) : undefined;
      if (known !== undefined) return { sha256: known, identity: before, settled };
      const sha256 = await hashOf(file);
      const after = identityOf(await file.stat({ bigint: true }));
      if (sameIdentity(before, after)) {
        if (cached && settled) cache.set(before, sha256);
        return { sha256, identity: before, settled };
      }
      // Links that other runs create and remove change only its ctime.
      if (attempt < ATTEMPTS) continue;
      if (sameWriting(before, after)) return { sha256, identity: after, settled: false };
      throw new Error(`${path} is being written`);
    }
  } finally {
    await file.close();
  }
}

/** Records that a file still has this hash although its identity has changed, by something other than a write. */
export function rememberHash(identity: FileIdentity, sha256: string, cache = HashCache.ofUser()): void {
  if (identity.size >= CACHED_FROM) cache.set(identity, sha256);
}

async function hashOf(file: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  const piece = Buffer.allocUnsafe(PIECE);
  for (let at = 0; ;) {
    const { bytesRead } = await file.read(piece, 0, PIECE, at);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(piece.subarray(0, bytesRead));
    at += bytesRead;
  }
}

/** SHA-256 of a file as `hashFile` finds it, for callers that cannot wait: it blocks the process. */
export function hashFileNow(path: string, cache = HashCache.ofUser()): string {
  const file = openRegularSync(path);
  try {
    const began = Date.now();
    const before = identityOf(fstatSync(file, { bigint: true }));
    const cached = before.size >= CACHED_FROM && isSettled(before, began);
    const known = cached ? cache.get(before) : undefined;
    if (known !== undefined) return known;
    const hash = createHash('sha256');
    const piece = Buffer.allocUnsafe(PIECE);
    for (let at = 0; ;) {
      const read = readSync(file, piece, 0, PIECE, at);
      if (read === 0) break;
      hash.update(piece.subarray(0, read));
      at += read;
    }
    const sha256 = hash.digest('hex');
    if (cached && sameIdentity(before, identityOf(fstatSync(file, { bigint: true }))))
      cache.set(before, sha256);
    return sha256;
  } finally {
    closeSync(file);
  }
}

/** Enough for all models that a user works with; the oldest entries are dropped first. */
const MOST = 256;
const VERSION = 1;

/**
 * SHA-256 of large files by their identity in the file system, so that a model is not read again for each run. Stored
 * in one small file per user, which is replaced as a whole: if two processes add to it at once, one may lose its entry
 * and must hash again. A cache that is damaged, or cannot be read or written, counts as empty.
 */
export class HashCache {
  constructor(private readonly path: string) {}

  static ofUser(): HashCache {
    return new HashCache(join(cacheFolder(), 'hashes.json'));
  }

  get(identity: FileIdentity): string | undefined {
    return this.read().get(keyOf(identity));
  }

  set(identity: FileIdentity, sha256: string): void {
    const entries = this.read();
    const key = keyOf(identity);
    entries.delete(key);
    entries.set(key, sha256);
    const kept = [...entries].slice(-MOST);
    try {
      writeAtomic(this.path, `${JSON.stringify({ version: VERSION, entries: kept })}\n`);
    } catch {
      // The cache only saves time.
    }
  }

  private read(): Map<string, string> {
    try {
      const { version, entries } = JSON.parse(readFileSync(this.path, 'utf8')) as Record<string, unknown>;
      if (version === VERSION && Array.isArray(entries)) return new Map(entries.filter(isEntry));
    } catch {
      // The cache does not exist yet, or is damaged.
    }
    return new Map();
  }
}

const keyOf = ({ device, inode, size, mtimeNs, ctimeNs }: FileIdentity): string =>
  [device, inode, size, mtimeNs, ctimeNs].join(' ');

const isEntry = (value: unknown): value is [string, string] =>
  Array.isArray(value) &&
  value.length === 2 &&
  typeof value[0] === 'string' &&
  typeof value[1] === 'string' &&
  /^[0-9a-f]{64}$/.test(value[1]);
