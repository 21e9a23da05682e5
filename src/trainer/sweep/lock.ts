import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, statSync, writeFileSync, linkSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { diskError } from '../../files/atomic';
import { processExists } from '../../files/process-facts';
import { HEARTBEAT_TIMEOUT_MS, readStatus } from '../../runs/status';
import { sweepPaths } from '../../runs/sweep/record';
import { AuroraError } from '../../shared/errors';

interface Owner {
  pid: number;
  host: string;
  nonce: string;
  /** Milliseconds since 1970. */
  at: number;
}

/** Somebody may be about to write a name into a lock that has none. */
const NAMELESS_MS = 1000;
const LOOK_MS = 100;

/**
 * Makes this process the one queue of a sweep, and returns how to give that up. A lock whose owner is gone is
 * taken over.
 *
 * @throws AuroraError 'run' while another queue works on it
 */
export async function lockSweep(folder: string): Promise<() => void> {
  const path = sweepPaths(folder).lock;
  const mine: Owner = {
    pid: process.pid,
    host: hostname(),
    nonce: randomBytes(8).toString('hex'),
    at: Date.now(),
  };
  while (!create(path, mine)) {
    const owner = ownerOf(path);
    if (owner === 'nameless') await wait(LOOK_MS);
    else if (owner && isThere(folder, owner))
      throw new AuroraError(
        'run',
        `The sweep ${folder} is being run by process ${owner.pid} on ${owner.host}.`,
        'Stop that first, by Ctrl-C or with Stop Sweep: two queues must not start the same trials.',
      );
    else if (owner) takeAway(path, owner);
  }
  return () => {
    const owner = ownerOf(path);
    if (owner !== 'nameless' && owner?.nonce === mine.nonce) rmSync(path, { force: true });
  };
}

function create(path: string, owner: Owner): boolean {
  try {
    writeFileSync(path, JSON.stringify(owner), { flag: 'wx' });
    return true;
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw diskError(path, e);
  }
}

/** Undefined where there is no lock, or one that was left without a name. */
function ownerOf(path: string): Owner | 'nameless' | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Owner;
  } catch (e) {
    if (!(e instanceof SyntaxError)) return undefined;
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    if (age < NAMELESS_MS) return 'nameless';
    rmSync(path, { force: true });
    return undefined;
  }
}

/** Its process is there, and as the sweep's heartbeat says is still the one that took the lock. */
function isThere(folder: string, { pid, host, at }: Owner): boolean {
  if (host === hostname() && !processExists(pid)) return false;
  const status = readStatus(folder);
  const heard = status?.pid === pid && status.host === host ? Math.max(at, status.heartbeat) : at;
  return Date.now() - heard < HEARTBEAT_TIMEOUT_MS;
}

/** Of two that do this at once one renames; the other may get hold of the first one's new lock, and puts it back. */
function takeAway(path: string, stale: Owner): void {
  const away = `${path}.${process.pid}`;
  try {
    renameSync(path, away);
    const taken = ownerOf(away);
    if (taken && taken !== 'nameless' && taken.nonce !== stale.nonce) linkSync(away, path);
    rmSync(away, { force: true });
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code !== 'ENOENT') throw diskError(path, e);
  }
}
