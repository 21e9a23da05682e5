import { execFile } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { childEnvironment } from './child-environment';

/** A process as recorded in files, with enough to distinguish it from all others, including later ones. */
export interface ProcessRecord {
  pid: number;
  host: string;
  /** Changes whenever the machine boots; absent if the system has none, and in older files. */
  boot?: string;
  /** Linux: the processes that this one sees; in a container, the same id belongs to another process. */
  pidNamespace?: string;
  /** Start time in the system's unit (`ProcessFacts.started`); absent in older files. */
  started?: number;
}

/** `unknown`: a process has this id, and the system does not report (immediately) whether it is the same one. */
export type Presence = 'alive' | 'gone' | 'elsewhere' | 'unknown';

/** The resolution of a clock, and the time between a process's start and its first record. */
const SLACK_MS = 5000;

/** Linux counts exactly; `ps` rounds to seconds, and so does a process's estimate of its start. */
const SAME_START = process.platform === 'linux' ? 0 : 3000;

/** Command lines of our programs: node …/cli.cjs train, aurora train, aurora.cjs sweep, cli.cjs trial. */
const TRAINER = /(?:^|[\\/\s"'])(?:cli\.cjs|aurora(?:\.cjs)?)["']?\s+["']?(?:train|trial|sweep)(?![\w.-])/;

const machine = (): Pick<ProcessRecord, 'host' | 'boot' | 'pidNamespace'> => ({
  host: hostname(),
  ...(process.platform === 'linux' && {
    boot: attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    pidNamespace: attempt(() => /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0]),
  }),
});

let here: ProcessRecord | undefined;

/** This process, for files that it writes. */
export const thisProcess = (): ProcessRecord =>
  (here ??= {
    pid: process.pid,
    ...machine(),
    started: factsNow(process.pid).started ?? Math.round(Date.now() - process.uptime() * 1000),
  });

/** A process on this machine that was just started. */
export const processRecord = async (pid: number): Promise<ProcessRecord> => ({
  pid,
  ...machine(),
  started: (await factsOf(pid)).started,
});

/**
 * The presence of a record's process, without blocking. On Linux it is never `unknown` for our own processes; on other
 * systems, use `presence`.
 *
 * @param seen when it was last known to run, in ms since 1970; decides for records without `started`
 */
export function presenceNow(record: ProcessRecord, seen?: number): Presence {
  return placeOf(record) ?? judge(record, factsNow(record.pid), seen);
}

/** The presence of a record's process, including facts that only a system program can report. */
export async function presence(record: ProcessRecord, seen?: number): Promise<Presence> {
  return placeOf(record) ?? judge(record, await factsOf(record.pid), seen);
}

/**
 * An immediate yes or no: does the process of a record exist? For a process elsewhere, or one about which the system
 * reports too little, the last sign of life decides.
 *
 * @param seen    time of the last sign of life, in ms since 1970
 * @param timeout milliseconds without one after which the process counts as dead
 */
export function isAliveNow(record: ProcessRecord, seen: number, timeout: number, now = Date.now()): boolean {
  const where = presenceNow(record, seen);
  // A sign of life from the future does not count; the clocks of two machines differ by less than the timeout.
  return where === 'alive' || (where !== 'gone' && Math.abs(now - seen) < timeout);
}

/**
 * True if the process of a record may be signalled: it exists, it is the one that the record is about, and it is a
 * trainer or a queue of this program other than this process and its parent. False if the system reports too little.
 *
 * @param mention a part that its command line must contain
 */
export async function isOurTrainer(record: ProcessRecord, seen?: number, mention = ''): Promise<boolean> {
  if (placeOf(record) !== undefined || [process.pid, process.ppid].includes(record.pid)) return false;
  const facts = await factsOf(record.pid);
  const { command = '' } = facts;
  return judge(record, facts, seen) === 'alive' && TRAINER.test(command) && command.includes(mention);
}

/**
 * The presence that follows without information about the process itself; undefined if a process on this machine has
 * its id.
 */
function placeOf({ pid, host, boot, pidNamespace }: ProcessRecord): 'gone' | 'elsewhere' | undefined {
  const now = machine();
  if (boot !== undefined && now.boot !== undefined) {
    // A host's name may change while it runs, and two machines may have the same name.
    if (boot !== now.boot) return host === now.host ? 'gone' : 'elsewhere';
    if (pidNamespace !== now.pidNamespace) return 'elsewhere';
  } else if (host !== now.host) return 'elsewhere';
  return isPid(pid) && processExists(pid) ? undefined : 'gone';
}

function judge({ started }: ProcessRecord, facts: ProcessFacts, seen?: number): Presence {
  if (facts.started === undefined) return 'unknown';
  if (started !== undefined) return Math.abs(started - facts.started) <= SAME_START ? 'alive' : 'gone';
  if (facts.command !== undefined && !TRAINER.test(facts.command)) return 'gone';
  const began = facts.began?.();
  if (began === undefined || seen === undefined) return 'unknown';
  return began <= seen + SLACK_MS ? 'alive' : 'gone';
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

/** The system's report on an existing process. */
interface ProcessFacts {
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
function procStat(pid: number | 'self'): string[] | undefined {
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

/** True if any process of the group led by `leader` is left; on Windows, if `leader` is. */
export async function groupIsThere(leader: number): Promise<boolean> {
  if (process.platform === 'win32' || !isPid(leader)) return processExists(leader);
  try {
    process.kill(-leader, 0);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ESRCH') return processExists(leader);
  }
  // The group may consist of a zombie leader alone.
  return process.platform === 'linux' ? processExists(leader) || groupHasLiving(leader) : true;
}

async function groupHasLiving(group: number): Promise<boolean> {
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = procStat(Number(name));
    if (stat && Number(stat[2]) === group && stat[0] !== 'Z' && stat[0] !== 'X') return true;
  }
  return false;
}

/**
 * Stops or kills a process and everything it started. A process that is already gone is not an error. Never signals an
 * invalid process id, this process, its parent or its group. For an id from a file, check `isOurTrainer` first.
 */
export async function killTree(pid: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (!isPid(pid) || pid === process.pid || pid === process.ppid) return;
  if (process.platform === 'win32') {
    // Windows has no SIGTERM: a process without a console can only be killed.
    await new Promise<void>((resolve) =>
      execFile(
        'taskkill',
        ['/T', '/F', '/PID', String(pid)],
        { windowsHide: true, env: childEnvironment() },
        () => resolve(),
      ),
    );
    return;
  }
  if (pid === Number(procStat('self')?.[2])) return;
  // A trainer started by the extension leads its group; one from a terminal may not.
  if (!send(-pid, signal)) send(pid, signal);
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw e;
  }
}
