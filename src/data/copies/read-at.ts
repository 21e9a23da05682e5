import { readSync } from 'node:fs';
import { unreadable } from '../../table/files';

/** The existing part of these bytes of an open file. @throws AuroraError 'data' if they cannot be read */
export function readAt(path: string, file: number, start: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let done = 0; done < length;) {
    let read: number;
    try {
      read = readSync(file, bytes, done, length - done, start + done);
    } catch (cause) {
      throw unreadable(path, cause);
    }
    if (read === 0) return bytes.subarray(0, done);
    done += read;
  }
  return bytes;
}
