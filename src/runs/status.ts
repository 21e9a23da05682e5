import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { writeAtomic } from '../files/atomic';
import { AuroraError } from '../shared/errors';
import type { RunStatus } from '../shared/events';
import { readJsonIfThere } from '../files/json';
import { runPaths } from './layout';

/** Between two heartbeats in status.json. */
export const HEARTBEAT_MS = 1000;

/** Without a heartbeat for so long, a running run is taken for dead: time for a slow network disk, or a laptop's wake-up. */
export const HEARTBEAT_TIMEOUT_MS = 15_000;

/** Replaces status.json; readers see the old one or the new one. */
export const writeStatus = (run: string, status: RunStatus): void =>
  writeAtomic(runPaths(run).status, `${JSON.stringify(status)}\n`);

/** undefined before the trainer's first word. */
export function readStatus(run: string): RunStatus | undefined {
  const path = runPaths(run).status;
  const value = readJsonIfThere(path);
  return value === undefined ? undefined : checkStatus(path, value);
}

/** The value of a status.json; AuroraError (`run`) where it is none. */
export function checkStatus(path: string, value: unknown): RunStatus {
  const status = value as Partial<RunStatus> | null;
  if (typeof status?.state !== 'string' || typeof status.heartbeat !== 'number')
    throw new AuroraError(
      'run',
      `${path} does not hold a run's status.`,
      'Delete it; the next resume writes it anew.',
    );
  return status as RunStatus;
}

/**
 * Whether a trainer works on the run: it says so, its last heartbeat is recent, and where it is a process of
 * this machine, that is there. Times in ms since 1970.
 */
export const isAlive = (status: RunStatus | undefined, now = Date.now()): boolean =>
  status?.state === 'running' &&
  now - status.heartbeat < HEARTBEAT_TIMEOUT_MS &&
  (status.host !== hostname() || processExists(status.pid));

/** Whether a process of this machine is there; it may be another user's. A zombie does not count: it runs nothing. */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  if (process.platform !== 'linux') return true;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets, which may hold anything.
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}
