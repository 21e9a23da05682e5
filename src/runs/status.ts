import { writeAtomic } from '../files/atomic';
import type { OwnerRecord } from '../files/fence';
import { AuroraError } from '../base/errors';
import type { RunStatus } from '../protocol/events';
import { readJsonIfThere } from '../files/json';
import { isAliveNow } from '../files/processes';
import { runPaths } from './layout';

/** Between two heartbeats in status.json. */
export const HEARTBEAT_MS = 1000;

/** Without a heartbeat for so long, a running run of another machine is taken for dead: time for a slow network disk, or a laptop's wake-up. */
export const HEARTBEAT_TIMEOUT_MS = 15_000;

/** Replaces status.json; readers see the old one or the new one. */
export const writeStatus = (run: string, status: RunStatus): void =>
  writeAtomic(runPaths(run).status, `${JSON.stringify(status)}\n`, run);

/** undefined before the trainer's first word. */
export function readStatus(run: string): RunStatus | undefined {
  const path = runPaths(run).status;
  const value = readJsonIfThere(path);
  return value === undefined ? undefined : checkStatus(path, value);
}

/** Versions before there was an owner.json named the trainer in status.json alone. */
export function ownerByStatus(folder: string): OwnerRecord | undefined {
  const status = readStatus(folder);
  return status?.state === 'running' ? { ...status, at: status.heartbeat } : undefined;
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
 * Whether a trainer works on the run. On this machine its process decides, however long ago its last heartbeat was;
 * of a process on another machine, or one that the system says too little about at once, the heartbeat does. Times
 * in ms since 1970. For what is shown: whoever starts a trainer claims the run first (`files/owner.ts`).
 */
export function isAlive(status: RunStatus | undefined, now = Date.now()): boolean {
  return status?.state === 'running' && isAliveNow(status, status.heartbeat, HEARTBEAT_TIMEOUT_MS, now);
}
