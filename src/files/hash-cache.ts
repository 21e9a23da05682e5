import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomic } from './atomic';
import { cacheFolder } from './cache-folder';
import type { FileIdentity } from './identity';

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
