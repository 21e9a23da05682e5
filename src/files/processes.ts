import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { factsNow, factsOf, isPid, processExists, type ProcessFacts } from './process-facts';

/** Which process something belongs to, as files keep it: enough to tell it from every other one, also later. */
export interface ProcessRecord {
  pid: number;
  host: string;
  /** Changes whenever the machine starts; absent where the system has none, and from older files. */
  boot?: string;
  /** Linux: which processes this one sees; in a container the same number is another process's. */
  pidNamespace?: string;
  /** When it began, in the system's own unit (`ProcessFacts.started`); absent from older files. */
  started?: number;
}

/** `unknown`: a process has this number, and the system does not say (at once) whether it is the one. */
export type Presence = 'alive' | 'gone' | 'elsewhere' | 'unknown';

/** A clock's grain, and the time between a process's beginning and its first words. */
const SLACK_MS = 5000;

/** How Linux counts is exact; `ps` rounds to seconds, and a process knows its own start only that well. */
const SAME_START = process.platform === 'linux' ? 0 : 3000;

/** Our programs as they are started: node …/cli.cjs train, aurora train, aurora.cjs sweep. */
const TRAINER = /(?:^|[\\/\s"'])(?:cli\.cjs|aurora(?:\.cjs)?)["']?\s+["']?(?:train|sweep)(?![\w.-])/;

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

/** A process of this machine that was just started. */
export const processRecord = async (pid: number): Promise<ProcessRecord> => ({
  pid,
  ...machine(),
  started: (await factsOf(pid)).started,
});

/**
 * Whether the process of a record is there, at once: never blocks. On Linux it is never `unknown` for our own
 * processes; elsewhere ask `presence`.
 *
 * @param seen when it was last known to run, in ms since 1970; decides for records without `started`
 */
export function presenceNow(record: ProcessRecord, seen?: number): Presence {
  return placeOf(record) ?? judge(record, factsNow(record.pid), seen);
}

/** As `presenceNow`, with what only another program of the system can say. */
export async function presence(record: ProcessRecord, seen?: number): Promise<Presence> {
  return placeOf(record) ?? judge(record, await factsOf(record.pid), seen);
}

/**
 * A yes or no, at once, whether the process of a record is there. Of one elsewhere, or one that the system says too
 * little about, its last sign of life decides.
 *
 * @param seen    when it last gave one, in ms since 1970
 * @param timeout milliseconds without one after which it is taken for dead
 */
export function isAliveNow(record: ProcessRecord, seen: number, timeout: number, now = Date.now()): boolean {
  const where = presenceNow(record, seen);
  return where === 'alive' || (where !== 'gone' && now - seen < timeout);
}

/**
 * Whether the process of a record may be signalled: it is there, it is the one that the record was written by or
 * for, and it is a trainer or a queue of this program, and not this process or its parent. What the system does not
 * say is a no.
 *
 * @param mention what its command line has to contain
 */
export async function isOurTrainer(record: ProcessRecord, seen?: number, mention = ''): Promise<boolean> {
  if (placeOf(record) !== undefined || [process.pid, process.ppid].includes(record.pid)) return false;
  const facts = await factsOf(record.pid);
  const { command = '' } = facts;
  return judge(record, facts, seen) === 'alive' && TRAINER.test(command) && command.includes(mention);
}

/** What is known without asking about the process itself; undefined where one of this machine has its number. */
function placeOf({ pid, host, boot, pidNamespace }: ProcessRecord): 'gone' | 'elsewhere' | undefined {
  const now = machine();
  if (boot !== undefined && now.boot !== undefined) {
    // The host's name may change while it runs, and another machine may have the same.
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
