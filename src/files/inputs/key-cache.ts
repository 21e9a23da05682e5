import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomic } from '../atomic';
import { cacheFolder } from '../cache-folder';
import { identify, isSettled, type FileIdentity } from '../identity';

/** Sets of files whose keys are kept; the longest unused are removed. */
const MOST = 16;
/** Fewer files are read faster than the cache is. */
const LEAST = 500;
const SUM_BYTES = 32;

/**
 * The SHA-256 of many small files, such as images, by the identities of all of them, so that they are not read again at
 * each start: as soon as one has changed, all are read. A file of the cache that is damaged counts as missing; one that cannot be written only costs
 * time.
 */
export class KeyCache {
  constructor(
    private readonly folder = join(cacheFolder(), 'images'),
    private readonly least = LEAST,
  ) {}

  /** @param read one SHA-256, in hex; undefined for a file that cannot be read */
  keysOf(
    paths: readonly string[],
    read: (path: string, index: number) => string | undefined,
  ): readonly (string | undefined)[] {
    if (paths.length < this.least) return paths.map(read);
    const began = Date.now();
    const identities = paths.map(identify);
    const path = join(this.folder, `${nameOf(identities)}.keys`);
    const known = this.known(path);
    if (known?.length === paths.length) return known.map((key) => key ?? undefined);
    const keys = paths.map(read);
    const same = identities.every((i) => i && isSettled(i, began));
    if (same && nameOf(paths.map(identify)) === nameOf(identities)) this.keep(path, keys);
    return keys;
  }

  private known(path: string): (string | null)[] | undefined {
    try {
      const bytes = readFileSync(path);
      const content = bytes.subarray(SUM_BYTES);
      if (!sumOf(content).equals(bytes.subarray(0, SUM_BYTES))) return undefined;
      utimesSync(path, new Date(), new Date());
      return JSON.parse(content.toString()) as (string | null)[];
    } catch {
      return undefined;
    }
  }

  private keep(path: string, keys: readonly (string | undefined)[]): void {
    try {
      const content = Buffer.from(JSON.stringify(keys.map((key) => key ?? null)));
      writeAtomic(path, Buffer.concat([sumOf(content), content]));
      const others = readdirSync(this.folder).filter((name) => name.endsWith('.keys'));
      const used = (name: string) => statSync(join(this.folder, name)).mtimeMs;
      const oldest = others.sort((a, b) => used(b) - used(a)).slice(MOST);
      for (const name of oldest) rmSync(join(this.folder, name), { force: true });
    } catch {
      // The cache only saves time.
    }
  }
}

function nameOf(identities: readonly (FileIdentity | undefined)[]): string {
  const hash = createHash('sha256');
  for (const i of identities)
    hash.update(i ? `${i.device} ${i.inode} ${i.size} ${i.mtimeNs} ${i.ctimeNs}\n` : '\n');
  return hash.digest('hex').slice(0, 32);
}

const sumOf = (content: Buffer): Buffer => createHash('sha256').update(content).digest();
