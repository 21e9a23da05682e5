import { createHash } from 'node:crypto';
import { hashOfAll } from '../identify-data';
import { hashFileNow } from '../hash';
import { identify, isSettled, type FileIdentity } from '../identity';
import { KeyCache } from './key-cache';

/** Many files as if they were one: the images that a data file names. */
export interface HashedSet {
  /** Bytes of all. */
  size: number;
  sha256: string;
  /**
   * The beginning of each file's SHA-256, which shows which file has changed; null: there is none, or it cannot be
   * read.
   */
  sums: (string | null)[];
  identity: FileIdentity;
  /** True if any later change must show in the identity. */
  settled: boolean;
}

/** Hexadecimal digits that are kept of each file. */
const SUM = 12;
const ATTEMPTS = 5;

/** Differs whenever a file is added, removed, written, or takes the name of another one. Costs one stat a file. */
export function identifySet(paths: readonly string[]): FileIdentity {
  const stamp = createHash('sha256');
  let [size, written, changed] = [0, 0n, 0n];
  for (const path of paths) {
    const own = identify(path);
    stamp.update(own ? `${own.device} ${own.inode} ${own.size} ${own.mtimeNs} ${own.ctimeNs}\n` : '\n');
    if (!own) continue;
    size += own.size;
    if (BigInt(own.mtimeNs) > written) written = BigInt(own.mtimeNs);
    if (BigInt(own.ctimeNs) > changed) changed = BigInt(own.ctimeNs);
  }
  const inode = stamp.digest('hex');
  return { device: '', inode, size, mtimeNs: String(written), ctimeNs: String(changed) };
}

/**
 * Hashes files, many of which were hashed before: those are read again only if one of them has changed.
 *
 * @throws Error if they are being written all the time
 */
export function hashSet(paths: readonly string[], cache = new KeyCache()): HashedSet {
  for (let attempt = 1; ; attempt++) {
    const began = Date.now();
    const identity = identifySet(paths);
    const sums = cache.keysOf(paths, sumOf);
    if (identifySet(paths).inode !== identity.inode) {
      if (attempt < ATTEMPTS) continue;
      throw new Error('the images are being written');
    }
    const sha256 = hashOfAll(sums.map((sum, i) => ({ name: String(i), sha256: sum ?? '' })));
    return {
      ...{ size: identity.size, sha256, identity, settled: isSettled(identity, began) },
      sums: sums.map((sum) => sum?.slice(0, SUM) ?? null),
    };
  }
}

function sumOf(path: string): string | undefined {
  try {
    return hashFileNow(path);
  } catch {
    return undefined;
  }
}
