import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removedAtEnd } from '../trainer/process/removed-at-exit';
import { endOnSignals } from './signals';

/** A temporary folder, removed when the process ends, including after an error or Ctrl-C. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `aurora-${name}-`));
  removedAtEnd(folder);
  endOnSignals();
  return folder;
}
