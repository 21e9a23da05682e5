import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { CLI } from '../cli/lab';
import { until } from '../until';

export interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Its standard error. */
  err: string;
}

export interface Running {
  pid: number;
  ended: Promise<End>;
  /** True once it has ended. */
  over(): boolean;
}

/** Starts the built program as the leader of a process group. */
export function start(args: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [CLI, ...args], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  });
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  let over = false;
  const ended = new Promise<End>((resolve) => {
    child.once('close', (code, signal) => {
      over = true;
      resolve({ code, signal, err });
    });
  });
  return { pid: child.pid!, ended, over: () => over };
}

export const run = (args: readonly string[], env?: Record<string, string>): Promise<End> =>
  start(args, env).ended;

/**
 * Ends a process and all others with `folder` on their command lines, because trials of a sweep lead their
 * own groups.
 */
export async function killAll(pid: number, folder: string): Promise<void> {
  send(pid);
  for (;;) {
    const left = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && mentions(name, folder));
    if (left.length === 0) return;
    for (const name of left) send(Number(name));
    await wait(10);
  }
}

function mentions(pid: string, folder: string): boolean {
  try {
    return Number(pid) !== process.pid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder);
  } catch {
    return false;
  }
}

function send(pid: number): void {
  for (const target of [-pid, pid])
    try {
      process.kill(target, 'SIGKILL');
    } catch {
      continue;
    }
}

/** Waits for a condition, or for the end of the process. */
export const untilOrOver = (condition: () => boolean, process: Running): Promise<boolean> =>
  until(() => condition() || process.over());

/** True if the program reported an internal error. */
export const isOurFault = ({ err }: End): boolean =>
  err.includes('bug in AuroRA Lab') || /^ {4}at /m.test(err);
