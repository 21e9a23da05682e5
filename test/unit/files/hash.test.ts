import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { hashFile } from '../../../src/files/hash';
import { HashCache } from '../../../src/files/hash-cache';
import { identify } from '../../../src/files/identity';

const folder = mkdtempSync(join(tmpdir(), 'aurora-hash-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the hash of a large file', () => {
  it('is cached, and reading the file again updates the cache', async () => {
    const path = join(folder, 'weights');
    const bytes = Buffer.alloc(1 << 22, 1);
    writeFileSync(path, bytes);
    utimesSync(path, 1_600_000_000, 1_600_000_000);
    // Wait until a further change would get a different time stamp.
    await wait(100);
    const cache = new HashCache(join(folder, 'hashes.json'));
    const other = 'f'.repeat(64);
    cache.set(identify(path)!, other);
    expect((await hashFile(path, { cache })).sha256).toBe(other);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect((await hashFile(path, { cache, again: true })).sha256).toBe(sha256);
    expect((await hashFile(path, { cache })).sha256).toBe(sha256);
  });
});
