import { spawn } from 'node:child_process';
import { childEnvironment } from '../../files/child-environment';

export interface ChildOptions {
  /** This program, dist/cli.cjs. */
  program: string;
  /** The command that answers with one line of JSON, and its arguments. */
  args: readonly string[];
  /** Milliseconds after which it is ended: a driver may hang. */
  limit: number;
  /** Asked all the time: whether to end it now. */
  stopped?: () => boolean;
}

export interface ChildEnd<T> {
  /** Undefined where it gave no answer: it crashed, or was ended. */
  answer: T | undefined;
  /** The end of what was printed to its standard error, by libraries and drivers mostly. */
  printed: string;
  /** For a sentence: "SIGSEGV", "exit code 1". */
  how: string;
  /** Why it was ended from here. */
  ended?: 'late' | 'stopped';
}

const LOOK_MS = 100;
/** More of a library's words than anybody reads. */
const PRINTED = 64 * 1024;

/**
 * Asks this program in a process of its own, so that a driver that crashes or hangs takes nothing along. The child's
 * standard input ends with this process, whatever ends it: one that works for long then ends too (cli/child.ts).
 */
export async function askChild<T>({ program, args, limit, stopped }: ChildOptions): Promise<ChildEnd<T>> {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
    env: childEnvironment(),
  });
  let told = '';
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (told += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed = (printed + text).slice(-PRINTED)));
  let ended: ChildEnd<T>['ended'];
  const end = (why?: ChildEnd<T>['ended']) => {
    ended ??= why;
    child.kill('SIGKILL');
  };
  // It reads its input only between two calls of the driver.
  const leaving = () => end();
  // Before what takes its folder away.
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
  return { answer: ended ? undefined : answerIn<T>(told), printed, how, ...(ended && { ended }) };
}

/** A driver may print, too; ours is the last line that is JSON. */
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
