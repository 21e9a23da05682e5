import { open } from 'node:fs/promises';

/** The end of a log: as much as one can read, however long a run has talked. */
export const TAIL_BYTES = 1_000_000;

export interface LogTail {
  text: string;
  /** Size of the whole file in bytes; differs when there is more to see. */
  size: number;
}

/** The last `most` bytes from the start of a line; undefined where there is no such file. */
export async function readTail(path: string, most = TAIL_BYTES): Promise<LogTail | undefined> {
  const file = await open(path).catch((e: NodeJS.ErrnoException) => {
    if (e.code === 'ENOENT') return undefined;
    throw e;
  });
  if (!file) return undefined;
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - most);
    const buffer = Buffer.alloc(size - from);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
    const text = plain(buffer.toString('utf8', 0, bytesRead));
    return { text: from > 0 ? text.slice(text.indexOf('\n') + 1) : text, size };
  } finally {
    await file.close();
  }
}

/** The last lines of a text. */
export const lastLines = (text: string, count: number): string =>
  text.trimEnd().split('\n').slice(-count).join('\n');

/** Without a terminal's colours, and of a line that was drawn over and over only what was left standing. */
const plain = (text: string): string =>
  text
    // eslint-disable-next-line no-control-regex
    .replace(/\x1b\[[0-9;]*[A-Za-z]/g, '')
    .replace(/\r\n/g, '\n')
    .replace(/[^\n]*\r(?=[^\n])/g, '');
