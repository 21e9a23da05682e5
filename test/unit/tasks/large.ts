import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** Keeps the indices that a test file makes in a separate folder, whose path it returns. Call it in each file. */
export function ownCache(): string {
  const before = process.env.XDG_CACHE_HOME;
  const own = mkdtempSync(join(tmpdir(), 'aurora-large-'));
  process.env.XDG_CACHE_HOME = own;
  afterAll(() => {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
  });
  return own;
}

/** Loads with all files counted as large. */
export async function large<T>(load: () => Promise<T>): Promise<T> {
  process.env.AURORA_TEST_LARGE_BYTES = '0';
  try {
    return await load();
  } finally {
    delete process.env.AURORA_TEST_LARGE_BYTES;
  }
}
