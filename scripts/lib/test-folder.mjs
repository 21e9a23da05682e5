import { accessSync, constants, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
/** Several times what the largest tier leaves there. */
const NEEDED_BYTES = 8 * 2 ** 30;

/**
 * Where the tests' temporary files go, removed afterwards. In memory where there is plenty of it: every checkpoint is
 * flushed to the disk, which takes a third of a small run's time.
 */
export function withTestFolder(use) {
  const folder = mkdtempSync(join(hasMemory() ? MEMORY : tmpdir(), 'aurora-test-'));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A temporary folder that was chosen is kept. */
function hasMemory() {
  if (process.env.TMPDIR || process.platform !== 'linux') return false;
  try {
    accessSync(MEMORY, constants.W_OK);
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= NEEDED_BYTES && freemem() >= 2 * NEEDED_BYTES;
  } catch {
    return false;
  }
}
