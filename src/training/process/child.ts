import { spawn } from 'node:child_process';
import type { KnownError } from '../../base/errors';
import { childEnvironment, largePages } from '../../files/child-environment';
import { ERROR_PIPE, reportedError } from '../../files/error-pipe';

export interface ChildOptions {
  /** This program, dist/cli.cjs. */
  program: string;
  /** The command that answers with one line of JSON, and its arguments. */
  args: readonly string[];
  /** Milliseconds after which it is killed: a driver may hang. They start over with each `SIGN_OF_LIFE`. */
  limit: number;
  /** Polled: true to end it now. */
  stopped?: () => boolean;
}

export interface ChildEnd<T> {
  /** Undefined if it gave no answer: it crashed or was killed. */
  answer: T | undefined;
  /** The error that ended it, if it reported one. */
  error?: KnownError;
  /** The end of its standard error output, mostly from libraries and drivers. */
  printed: string;
  /** For a sentence: "SIGSEGV", "exit code 1". */
  how: string;
  /** The reason why this process ended it. */
  ended?: 'late' | 'stopped';
}

/** A line by which a child reports that its driver still works, however slowly. */
export const SIGN_OF_LIFE = 'working';

const LOOK_MS = 100;
/** More library output than anybody reads. */
const PRINTED = 64 * 1024;

/**
 * Runs a request in a separate process of this program, so that a driver that crashes or hangs affects nothing else.
 * The child's standard input closes with this process, however it ends; a long-running child then ends too
 * (cli/signals.ts).
 */
export async function askChild<T>({ program, args, limit, stopped }: ChildOptions): Promise<ChildEnd<T>> {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    windowsHide: true,
    env: childEnvironment(process.env, { ...largePages(), ...ERROR_PIPE }),
  });
  const reported = reportedError(child);
  let told = '';
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    told += text;
    if (text.includes(SIGN_OF_LIFE)) late.refresh();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed = (printed + text).slice(-PRINTED)));
  let ended: ChildEnd<T>['ended'];
  const end = (why?: ChildEnd<T>['ended']) => {
    ended ??= why;
    child.kill('SIGKILL');
  };
  // It reads its input only between two driver calls.
  const leaving = () => end();
  // Before the handler that removes its folder.
  process.prependOnceListener('exit', leaving);
  const late = setTimeout(() => end('late'), limit);
  const look = stopped && setInterval(() => stopped() && end('stopped'), LOOK_MS);
  const how = await new Promise<string>((resolve) => {
    child.once('error', (e) => resolve(e.message));
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  process.off('exit', leaving);
  clearTimeout(late);
  clearInterval(look);
  const error = await reported;
  return {
    answer: ended ? undefined : answerIn<T>(told),
    error,
    printed,
    how,
    ended,
  };
}

/** A driver may print, too; our answer is the last line that is JSON. */
function answerIn<T>(text: string): T | undefined {
  for (const line of text.split('\n').reverse()) {
    if (!line.startsWith('{')) continue;
    try {
      return JSON.parse(line) as T;
    } catch {
      continue;
    }
  }
  return undefined;
}
