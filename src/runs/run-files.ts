import { closeSync, existsSync, fstatSync, readSync, statSync, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import {
  openIfThere,
  openRegularSync,
  readIfThere,
  readIfThereSync,
  reopening,
  unreadable,
} from '../files/read';

/** Reads the files of run folders. */
export interface RunFiles {
  /** Undefined if there is nothing at that path. Throws AuroraError (`run`) if it cannot be read. */
  stat(path: string): Promise<Stats | undefined>;
  /** Undefined if there is nothing. Throws AuroraError (`run`) as `readIfThere`, also if it has more bytes than `most`. */
  read(path: string, most?: number): Promise<Buffer | undefined>;
  /** The last complete records of `width` bytes, at most this many; empty if the file is missing. */
  readLast(path: string, records: number, width: number): Promise<Buffer>;
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
  async readLast(path, most, width) {
    const file = await openIfThere(path);
    if (!file) return Buffer.alloc(0);
    try {
      const { from, bytes } = lastOf((await file.stat()).size, most, width);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, from);
      return complete(bytes, bytesRead, width);
    } finally {
      await file.close();
    }
  },
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
  // The error of a failed read costs more than to look first.
  read: async (path, most) => (existsSync(path) ? readIfThereSync(path, most) : undefined),
  async readLast(path, most, width) {
    if (!existsSync(path)) return Buffer.alloc(0);
    try {
      return reopening(() => {
        const file = openRegularSync(path);
        try {
          const { from, bytes } = lastOf(fstatSync(file).size, most, width);
          return complete(bytes, readSync(file, bytes, 0, bytes.length, from), width);
        } finally {
          closeSync(file);
        }
      });
    } catch (e) {
      throw unreadable(path, e);
    }
  },
};

function lastOf(size: number, most: number, width: number): { from: number; bytes: Buffer } {
  const records = Math.floor(size / width);
  const from = Math.max(0, records - most);
  return { from: from * width, bytes: Buffer.alloc((records - from) * width) };
}

/** Whole records: fewer than wanted if the file was cut in between. */
const complete = (bytes: Buffer, read: number, width: number): Buffer =>
  bytes.subarray(0, Math.floor(read / width) * width);

/** Changes whenever the file is replaced or appended to; '' if it is missing. */
export const versionOf = (stats: Stats | undefined): string =>
  stats ? `${stats.size}:${stats.mtimeMs}:${stats.ino}` : '';
