import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { CACHED_FROM } from './hash';
import { HashCache } from './hash-cache';
import { identityOf, isSettled, sameIdentity } from './identity';

const PIECE = 1 << 22;

/** SHA-256 of a file as `hashFile` finds it, for callers that cannot wait: it blocks the process. */
export function hashFileNow(path: string, cache = HashCache.ofUser()): string {
  const file = openSync(path, 'r');
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
