import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { requireOwned } from '../../files/fence';
import { connectionFailure, oddLength } from '../http/failure';
import { persist, type Persistence } from '../http/persist';
import type { Source } from './source';

export interface Fill extends Persistence {
  /** The unfinished file; need not exist. */
  path: string;
  size: number;
  source: Source;
  /** Bytes that are requested, flushed and resumed together. */
  block: number;
  /** The folder of the lock: another process may have taken it over while this one was suspended. */
  lock: string;
  /** The file's name, for messages. */
  name: string;
  /**
   * Progress of at least so many new bytes shows that the server is reliable; a server that is too slow sends fewer.
   */
  worth: number;
  /** The number of bytes that are there now. */
  at(bytes: number): void;
}

/**
 * Completes an unfinished file. Blocks are flushed before the next one begins, so everything up to the last start of a
 * block survived, however the process ended; behind that, a power cut may have left a hole. Within this process, the
 * last byte written counts.
 *
 * @throws AuroraError, or the system's error for a failed write
 */
export async function fill({
  path,
  size,
  source,
  block,
  lock,
  name,
  worth,
  at: tell,
  ...retry
}: Fill): Promise<void> {
  requireOwned(lock);
  const file = await open(path, constants.O_RDWR | constants.O_CREAT);
  try {
    let at = await usable(file, size, block);
    /** Only more than ever before is progress: bytes that are thrown away and sent again do not count. */
    let furthest = at;
    tell(at);
    while (at < size) {
      const end = Math.min(size, (Math.floor(at / block) + 1) * block);
      await persist(async (progress) => {
        const began = at;
        const part = await source.open(at, end);
        let position = part.start;
        for await (const bytes of part.bytes) {
          const fresh = bytes.subarray(Math.max(0, at - position));
          position += bytes.length;
          if (position > part.end) {
            // Any of its bytes may be the wrong ones.
            at = began;
            throw oddLength(part.url, name);
          }
          if (fresh.length === 0) continue;
          await writeWhole(file, fresh, at);
          at += fresh.length;
          if (at >= Math.min(size, furthest + worth)) {
            progress();
            furthest = at;
          }
          tell(at);
        }
        if (at < part.end) throw connectionFailure(part.url, new Error('It ended early'));
      }, retry);
      await file.datasync();
      requireOwned(lock);
    }
  } finally {
    await file.close();
  }
}

/** The length of an unfinished file's usable part; the rest is cut off. */
async function usable(file: FileHandle, size: number, block: number): Promise<number> {
  const there = (await file.stat()).size;
  const use = there === size ? size : there > size ? 0 : Math.floor(there / block) * block;
  if (use !== there) await file.truncate(use);
  return use;
}

async function writeWhole(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;)
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
}
