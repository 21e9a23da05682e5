import type { ChildProcess } from 'node:child_process';
import { writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { KnownError } from '../base/errors';

/** Set for a process of ours that has a pipe to report the error that ends it. */
const VARIABLE = 'AURORA_ERROR_PIPE';

/** The pipe is the child's file descriptor after standard error: the fourth entry of `stdio`. */
const FD = 3;

/** The child's environment must have this in addition. */
export const ERROR_PIPE: Readonly<NodeJS.ProcessEnv> = { [VARIABLE]: String(FD) };

/**
 * The error that ends a child, which was started with `ERROR_PIPE`; undefined if it reports none. The pipe does not keep this
 * process alive.
 */
export function reportedError(child: ChildProcess): Promise<KnownError | undefined> {
  const pipe = child.stdio[FD] as Socket;
  pipe.unref();
  let text = '';
  pipe.setEncoding('utf8').on('data', (part: string) => (text += part));
  return new Promise((resolve) => {
    pipe.on('error', () => undefined).once('close', () => resolve(recordIn(text)));
  });
}

/** A killed process may have written a part. */
function recordIn(text: string): KnownError | undefined {
  try {
    return JSON.parse(text) as KnownError;
  } catch {
    return undefined;
  }
}

/** Takes the pipe to the parent, which this process's own children do not get. Call it once, at the start. */
export function errorReporter(): (error: KnownError) => void {
  const isThere = process.env[VARIABLE] !== undefined;
  delete process.env[VARIABLE];
  return (error) => {
    if (!isThere) return;
    try {
      writeAll(FD, JSON.stringify(error));
    } catch {
      // Nobody reads it any more.
    }
  };
}

/** Writes the whole text: a pipe may take only a part at once. */
export function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;)
    try {
      at += writeSync(fd, bytes, at);
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== 'EAGAIN') throw e;
    }
}
