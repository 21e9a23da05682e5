import { readdir } from 'node:fs/promises';
import { withoutTimes } from './log-times';
import { parseJson } from '../../files/json';
import { openIfThere, readIfThere } from '../../files/read';
import type { RunStatus } from '../../protocol/events';
import { runPaths, stepOfName } from '../../runs/layout';
import { checkStatus } from '../../runs/status';

/** `readStatus` without blocking: undefined before the trainer's first status. */
export async function statusOf(run: string): Promise<RunStatus | undefined> {
  const path = runPaths(run).status;
  const bytes = await readIfThere(path);
  return bytes && checkStatus(path, parseJson(path, bytes));
}

/** The steps of the run's checkpoints, ascending. */
export async function checkpointSteps(run: string): Promise<number[]> {
  const names = await readdir(runPaths(run).checkpoints).catch(() => [] as string[]);
  return names
    .map(stepOfName)
    .filter((step) => step !== undefined)
    .sort((a, b) => a - b);
}

/** Lines of a log that are shown in a message. */
const SAID = 6;

/** The last lines of the trainer's output, for a message, without their times; empty if there is none. */
export async function logTail(run: string): Promise<string> {
  const end = await readTail(runPaths(run).log, 8192);
  return lastLines(withoutTimes(end?.text ?? ''), SAID);
}

/** Maximum bytes read from the end of a log. */
const TAIL_BYTES = 1_000_000;

export interface LogTail {
  text: string;
  /** Size of the whole file in bytes; changes when there is more to read. */
  size: number;
}

/** The last `most` bytes, starting at a line; undefined if the file does not exist. */
export async function readTail(path: string, most = TAIL_BYTES): Promise<LogTail | undefined> {
  const file = await openIfThere(path);
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

/** The last lines of a log. */
export const lastLines = (text: string, count: number): string =>
  text.trimEnd().split('\n').slice(-count).join('\n');

/** The text without terminal colors. For a line that was overwritten repeatedly, only the final text. */
const plain = (text: string): string =>
  text
    // eslint-disable-next-line no-control-regex
    .replace(/\x1b\[[0-9;]*[A-Za-z]/g, '')
    .replace(/\r\n/g, '\n')
    .replace(/[^\n]*\r(?=[^\n])/g, '');
