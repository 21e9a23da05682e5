import { statSync, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { readIfThere, readIfThereSync, unreadable } from '../files/read';

/** How the files of run folders are read. */
export interface RunFiles {
  /** Undefined if there is nothing at that path. Throws AuroraError (`run`) if it cannot be read. */
  stat(path: string): Promise<Stats | undefined>;
  read(path: string): Promise<Buffer | undefined>;
}

/** Other work continues while a disk is waited for. */
export const PATIENT: RunFiles = {
  async stat(path) {
    try {
      return await stat(path);
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw unreadable(path, e);
    }
  },
  read: readIfThere,
};

/**
 * Blocks, but takes a fifth of the time on a local disk: for thousands of small files, waiting for a thread for each costs
 * more than reading. The caller has to let other work continue between run folders.
 */
export const QUICK: RunFiles = {
  async stat(path) {
    try {
      return statSync(path, { throwIfNoEntry: false });
    } catch (e) {
      throw unreadable(path, e);
    }
  },
  read: async (path) => readIfThereSync(path),
};

/** Changes whenever the file is replaced or appended to; '' if it is missing. */
export const versionOf = (stats: Stats | undefined): string =>
  stats ? `${stats.size}:${stats.mtimeMs}:${stats.ino}` : '';
