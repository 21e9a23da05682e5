import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removedAtEnd } from '../trainer/process/removed-at-exit';
import { endOnSignals } from './signals';

/** A folder that is gone when the process is, however it ends: done, failed, or by Ctrl-C. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `aurora-${name}-`));
  removedAtEnd(folder);
  endOnSignals();
  return folder;
}
