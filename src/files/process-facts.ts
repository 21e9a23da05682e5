import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { childEnvironment } from './child-environment';

/** The system's report on an existing process. */
export interface ProcessFacts {
  /** Start time in the system's unit: clock ticks since boot on Linux, ms since 1970 elsewhere. */
  started?: number;
  /** Start time in ms since 1970. Precise to a second or two. */
  began?: () => number | undefined;
  /** Its command line, arguments separated by spaces. */
  command?: string;
}

/** Clock ticks of /proc, on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** True if a process can have this id: not a group (0, negative), not init, and not anything but an integer. */
export const isPid = (pid: unknown): pid is number =>
  Number.isInteger(pid) && (pid as number) > 1 && (pid as number) <= 0x7fffffff;

/** True if a process with this id exists, even another user's. Zombies do not count: they run nothing. */
export function processExists(pid: unknown): boolean {
  if (!isPid(pid)) return false;
  try {
    process.kill(pid, 0);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const state = procStat(pid)?.[0];
  return state === undefined || (state !== 'Z' && state !== 'X');
}

/**
 * The fields of /proc/PID/stat, starting with the third, the state. Undefined on other systems, and for other users'
 * processes if the system hides them.
 */
export function procStat(pid: number | 'self'): string[] | undefined {
  const text = readProc(`${pid}/stat`);
  // The second field is the program's name in parentheses, which may contain anything.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

function readProc(name: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return readFileSync(`/proc/${name}`, 'utf8');
  } catch {
    return undefined;
  }
}

/** Returns immediately, without starting another program; empty on systems other than Linux. */
export function factsNow(pid: number): ProcessFacts {
  const ticks = Number(procStat(pid)?.[19] ?? NaN);
  if (Number.isNaN(ticks)) return {};
  const command = readProc(`${pid}/cmdline`)?.replaceAll('\0', ' ').trim();
  const began = () => {
    const boot = /^btime (\d+)/m.exec(readProc('stat') ?? '')?.[1];
    return boot === undefined ? undefined : (Number(boot) + ticks / TICKS_PER_SECOND) * 1000;
  };
  return { started: ticks, began, ...(command && { command }) };
}

/** The facts of `factsNow`. On systems other than Linux it runs a system program, which takes up to a second. */
export async function factsOf(pid: number): Promise<ProcessFacts> {
  if (process.platform === 'linux') return factsNow(pid);
  const text =
    process.platform === 'win32'
      ? await output('powershell.exe', [
          '-NoProfile',
          '-NonInteractive',
          '-Command',
          `$p = Get-CimInstance Win32_Process -Filter "ProcessId=${pid}"; $p.CreationDate.ToUniversalTime().ToString('o'); $p.CommandLine`,
        ])
      : await output('ps', ['-o', 'lstart=', '-o', 'command=', '-p', String(pid)]);
  return parseFacts(text);
}

/** "Thu Jan  1 00:00:00 1970 COMMAND" as ps prints it, or the time in ISO 8601 and the command on the next line. */
export function parseFacts(text: string): ProcessFacts {
  const [, time, command] = /^(\d{4}-\S+|\w+ +\w+ +\d+ [\d:]+ \d{4})\s*([^]*)$/.exec(text.trim()) ?? [];
  const started = Date.parse(time);
  if (Number.isNaN(started)) return {};
  return { started, began: () => started, ...(command && { command: command.trim() }) };
}

const output = (program: string, args: string[]): Promise<string> =>
  new Promise((resolve) =>
    execFile(
      program,
      args,
      { timeout: 10_000, windowsHide: true, env: childEnvironment(process.env, { LC_ALL: 'C' }) },
      (e, out) => resolve(e ? '' : out),
    ),
  );
