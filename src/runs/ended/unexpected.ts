import { hostname } from 'node:os';
import { stat, statfs } from 'node:fs/promises';
import type { RunStatus } from '../../protocol/events';
import { endReason, type UnexpectedEnd } from '../../protocol/run-files/unexpected-end';
import type { InputFile } from '../input-file';
import { readInputs } from '../inputs';
import { stateOf } from '../outcome';
import type { RunSummary } from '../run-summary';
import { HEARTBEAT_MS } from '../status';
import { signalThatEnded } from './signal';

/** With less free space, a page of a new file may not get its block. */
const FULL_BYTES = 2 ** 20;

/**
 * The known facts about the end of a run whose state is `lost`: from the signal, if the process that started the
 * trainer saw it, and from the sizes that the model's files had when the run began.
 *
 * @param status the last one of the run
 */
export async function unexpectedEnd(run: string, status: RunStatus | undefined): Promise<UnexpectedEnd> {
  const signal = signalThatEnded(run, status?.pid);
  // Another machine may have read its own copy of the model.
  const model = status?.host === hostname() && (await changedModel(run, status, signal === 'SIGBUS'));
  const full = signal === 'SIGBUS' && (await isFull(run));
  return {
    signal,
    ...(model && { model }),
    ...(full && { isDiskFull: true }),
  };
}

/** The reason why the trainer of a lost run ended. */
export interface Loss extends UnexpectedEnd {
  /** In words, after "ended unexpectedly:". */
  reason: string;
}

/** For the terminal; undefined if the run is not lost. */
export async function lossOf(run: RunSummary): Promise<Loss | undefined> {
  if (stateOf(run) !== 'lost') return undefined;
  const end = await unexpectedEnd(run.folder, run.status);
  return { reason: endReason(end), ...end };
}

/**
 * The model's file that was written to while the trainer read it. A file that took its place by renaming has no effect.
 *
 * @param wasBus true if the system has reported that a mapped file had become shorter: then a changed size is the
 *   reason, whenever the file was last written
 */
async function changedModel(
  run: string,
  status: RunStatus,
  wasBus: boolean,
): Promise<UnexpectedEnd['model'] | undefined> {
  for (const { path, size, identity } of modelFiles(run)) {
    const now = await stat(path, { bigint: true }).catch(() => undefined);
    if (!now?.isFile() || (identity && identity.inode !== String(now.ino))) continue;
    const after = Number(now.size);
    // Without a signal, or with the same size, only a write during the training explains anything.
    const written = [now.mtimeNs, now.ctimeNs].some((ns) => isDuring(Number(ns) / 1e6, status));
    const isOther = identity ? identity.mtimeNs !== String(now.mtimeNs) : after !== size;
    if (wasBus ? after !== size || (written && isOther) : after < size && written)
      return { path, before: size, after };
  }
  return undefined;
}

function modelFiles(run: string): InputFile[] {
  try {
    const files = readInputs(run)?.files ?? [];
    return files.filter(({ role, sha256 }) => sha256 !== null && (role === 'model' || role === 'model-data'));
  } catch {
    // Resuming reports the damage.
    return [];
  }
}

/** True if a time in ms since 1970 lies between the trainer's start and its next heartbeat that did not come. */
const isDuring = (time: number, { startedAt, heartbeat }: RunStatus): boolean =>
  time >= startedAt && time <= heartbeat + 2 * HEARTBEAT_MS;

async function isFull(folder: string): Promise<boolean> {
  const disk = await statfs(folder).catch(() => undefined);
  return disk !== undefined && disk.bavail * disk.bsize < FULL_BYTES;
}
