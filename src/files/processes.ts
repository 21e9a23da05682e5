import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { factsNow, factsOf, isPid, processExists, type ProcessFacts } from './process-facts';

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
