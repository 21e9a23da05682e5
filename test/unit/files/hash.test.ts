import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { hashFile, HashCache } from '../../../src/files/hash';
import { hashData } from '../../../src/files/identify-data';
import { identify } from '../../../src/files/identity';
import { scratchFolder } from '../../scratch';

const folder = scratchFolder('hash');

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

describe('the hash of a large folder', () => {
  it('is cached, and computed again if a file in it has changed, even with the same size and time', async () => {
    const data = join(folder, 'data');
    mkdirSync(join(data, 'below'), { recursive: true });
    const paths = [join(data, 'a'), join(data, 'below/b')];
    const write = async (path: string, value: number) => {
      writeFileSync(path, Buffer.alloc(3 << 20, value));
      utimesSync(path, 1_600_000_000, 1_600_000_000);
      for (const at of [data, join(data, 'below')]) utimesSync(at, 1_600_000_000, 1_600_000_000);
      await wait(100);
    };
    for (const path of paths) await write(path, 1);
    const file = join(folder, 'folders.json');
    const cache = new HashCache(file);
    const first = await hashData(data, { cache });
    expect(first.settled).toBe(true);
    const kept = readFileSync(file, 'utf8');
    // The returned hash is the one in the cache.
    writeFileSync(file, kept.replaceAll(first.sha256, 'f'.repeat(64)));
    expect((await hashData(data, { cache })).sha256).toBe('f'.repeat(64));
    expect((await hashData(data, { cache, again: true })).sha256).toBe(first.sha256);
    await write(paths[1], 2);
    const second = await hashData(data, { cache });
    expect(second.sha256).not.toBe(first.sha256);
    expect((await hashData(data, { cache: new HashCache(join(folder, 'none.json')) })).sha256).toBe(
      second.sha256,
    );
  });
});
