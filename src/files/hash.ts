import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { HashCache } from './hash-cache';
import { openRegular } from './read';
import { identityOf, isSettled, sameIdentity, sameWriting, type FileIdentity } from './identity';

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
