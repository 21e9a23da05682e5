import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

// Each test file that imports this keeps its indices in a separate folder.
const cache = process.env.XDG_CACHE_HOME;
process.env.XDG_CACHE_HOME = mkdtempSync(join(tmpdir(), 'aurora-large-'));
afterAll(() => {
  if (cache === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = cache;
});

/** Loads with all files counted as large. */
export async function large<T>(load: () => Promise<T>): Promise<T> {
  process.env.AURORA_TEST_LARGE_BYTES = '0';
  try {
    return await load();
  } finally {
    delete process.env.AURORA_TEST_LARGE_BYTES;
  }
}
