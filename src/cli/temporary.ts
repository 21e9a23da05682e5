import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endOnSignals } from './signals';

/** A folder that is gone when the process is, however it ends: done, failed, or by Ctrl-C. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `aurora-${name}-`));
  // A child that is being killed may write once more.
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  endOnSignals();
  return folder;
}
