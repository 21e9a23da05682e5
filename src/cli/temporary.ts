import { temporaryFolderFor } from '../files/system-temporary';
import { removedAtEnd } from '../training/process/removed-at-exit';
import { endOnSignals } from './signals';

/** A temporary folder, removed when the process ends, including after an error or Ctrl-C. */
export function temporaryFolder(name: string): string {
  const folder = temporaryFolderFor(name);
  removedAtEnd(folder);
  endOnSignals();
  return folder;
}
