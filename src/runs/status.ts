import { writeAtomic } from '../files/atomic';
import type { OwnerRecord } from '../files/fence';
import { heldBy, type Claim } from '../files/owner';
import { AuroraError } from '../base/errors';
import type { RunState, RunStatus } from '../protocol/events';
import { parsePreparing } from '../protocol/preparing';
import { readJsonIfThere } from '../files/json';
import { isAliveNow } from '../files/processes';
import { runPaths } from './layout';

/** Between two heartbeats in status.json. */
export const HEARTBEAT_MS = 1000;

/**
 * Without a heartbeat for this long, a run on another machine counts as dead. Leaves time for a slow network disk or a
 * laptop that wakes up.
 */
export const HEARTBEAT_TIMEOUT_MS = 15_000;

const STATES: readonly RunState[] = ['running', 'finished', 'stopped', 'failed'];

/** Replaces status.json atomically: readers see the old or the new one. */
export const writeStatus = (run: string, status: RunStatus): void =>
  writeAtomic(runPaths(run).status, `${JSON.stringify(status)}\n`, run);

/** Undefined before the trainer's first status. */
export function readStatus(run: string): RunStatus | undefined {
  const path = runPaths(run).status;
  const value = readJsonIfThere(path);
  return value === undefined ? undefined : checkStatus(path, value);
}

/** The owner according to status.json, for runs of versions without an owner.json. */
export function ownerByStatus(folder: string): OwnerRecord | undefined {
  const status = readStatus(folder);
  return status?.state === 'running' ? { ...status, at: status.heartbeat } : undefined;
}

/** The owner of a run that may not be replaced without asking. Also undefined if the run is damaged: its trainer reports how. */
export async function ownerOfRun(run: string): Promise<Extract<Claim, { heldBy: OwnerRecord }> | undefined> {
  try {
    return await heldBy(run, ownerByStatus(run));
  } catch {
    return undefined;
  }
}

/** The value of a status.json. Throws AuroraError (`run`) if it is invalid. */
export function checkStatus(path: string, value: unknown): RunStatus {
  const status = value as Partial<RunStatus> | null;
  const { pid, host, state, step, steps, startedAt, heartbeat, preparing } = status ?? {};
  const whole =
    STATES.includes(state!) &&
    [pid, step, steps, startedAt, heartbeat].every((n) => typeof n === 'number') &&
    typeof host === 'string' &&
    (preparing === undefined || parsePreparing(preparing) !== undefined);
  if (!whole)
    throw new AuroraError(
      'run',
      `${path} is not a run's status.`,
      'Delete it; the next resume writes it again.',
    );
  return status as RunStatus;
}

/**
 * True if a trainer works on the run. On this machine, its process decides, regardless of its last heartbeat; for a
 * process on another machine, or one about which the system reports too little immediately, the heartbeat does. Times
 * in ms since 1970. For display only: to start a trainer, claim the run first (`files/owner.ts`).
 */
export function isAlive(status: RunStatus | undefined, now = Date.now()): boolean {
  return status?.state === 'running' && isAliveNow(status, status.heartbeat, HEARTBEAT_TIMEOUT_MS, now);
}
