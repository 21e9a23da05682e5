import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { AuroraError } from '../base/errors';
import { discard, diskError, writeAll } from './atomic';
import { fence, ownerFile, type OwnerRecord, parseOwner, successorFile } from './fence';
import { presence, type Presence, thisProcess } from './processes';
import { reopening } from './read';
import { temporaryBeside } from './temporary';

export interface ClaimRequest {
  /** The owner according to another file, if owner.json is missing or damaged. */
  earlier?: OwnerRecord;
  /** Decides if an owner is replaced that this machine cannot see. */
  takeOver?: (owner: OwnerRecord) => Promise<boolean>;
}

export type Claim =
  | { owner: Owner }
  /** `unseen`: it is on another machine, or the system does not report if it exists. */
  | { heldBy: OwnerRecord; as: 'alive' | 'unseen' };

export interface Owner {
  nonce: string;
  /** Gives up the folder, if it still belongs to this owner. */
  release(): void;
}

/** Before the next look at a folder that a client of the disk shows as it was. */
const LOOK_MS = 50;
/** No claim takes longer, and no process that may have been replaced comes back later. */
const REPLACED_MS = 24 * 60 * 60_000;

/**
 * Makes this process the only one that writes to a folder, until it releases the folder or ends. Every write there is
 * then fenced (`requireOwned`). Replaces an owner if its process is gone or the scheduler has restarted its job. If
 * several processes try at once, exactly one succeeds.
 *
 * @throws AuroraError 'run' if the folder does not exist, 'disk' if it is not writable
 */
export async function claim(folder: string, request: ClaimRequest = {}): Promise<Claim> {
  const mine: OwnerRecord = {
    ...thisProcess(),
    nonce: randomBytes(8).toString('hex'),
    at: Date.now(),
    job: schedulerJob(process.env),
  };
  const text = `${JSON.stringify(mine)}\n`;
  const path = ownerFile(folder);
  const temporary = temporaryBeside(path);
  /** For each owner that may be replaced: true if it has certainly ended. */
  const ended = new Map<string, boolean>();
  let succeeded = false;
  try {
    writeFileSync(temporary, text, { flush: true });
    for (;;) {
      const chain = await ownersOf(folder);
      const known = chain.at(-1);
      if (known?.nonce === mine.nonce) {
        const before = await ownerNow(folder);
        if (before && chain.some(({ nonce }) => nonce === before.nonce)) {
          // If there was no owner, the record is already in place; otherwise this ends the previous owner's claim.
          renameSync(temporary, path);
          succeeded = true;
          for (const r of chain)
            if (!ended.has(r.nonce)) ended.set(r.nonce, (await presence(r, r.at)) === 'gone');
          return {
            owner: ownerOf(folder, mine.nonce, text, before.nonce === mine.nonce ? undefined : before.nonce),
          };
        }
        // The owner that this one was to replace has been replaced before: the record was not the newest.
        withdraw(folder, chain);
        await wait(LOOK_MS);
        continue;
      }
      const found = ownerIn(known, request.earlier);
      if (found && !ended.has(found.nonce)) {
        const where = await presenceOf(found);
        const as = await standing(found, where, mine.job, request.takeOver);
        if (as) return { heldBy: found, as };
        ended.set(found.nonce, where === 'gone');
      }
      // Only the first process that names itself the successor of this owner succeeds.
      const target = known ? successorFile(folder, known.nonce) : path;
      if (!exclusively(temporary, target, text)) await wait(LOOK_MS);
    }
  } catch (e) {
    // The record may be in place already, where a call after it failed.
    disown(folder, mine.nonce);
    if ((e as NodeJS.ErrnoException).code === 'ENOENT' && !statSync(folder, { throwIfNoEntry: false }))
      throw new AuroraError('run', `There is no folder ${folder}.`, 'Check the path.', { cause: e });
    throw diskError(path, e);
  } finally {
    discard(temporary);
    tidy(folder, mine.nonce, succeeded ? ended : undefined);
  }
}

/** The owner that `claim` would not replace without asking; undefined if it would succeed. Claims nothing. */
export async function heldBy(
  folder: string,
  earlier?: OwnerRecord,
): Promise<Extract<Claim, { heldBy: OwnerRecord }> | undefined> {
  const found = ownerIn((await ownersOf(folder)).at(-1), earlier);
  if (!found) return undefined;
  const as = await standing(found, await presenceOf(found), schedulerJob(process.env));
  return as && { heldBy: found, as };
}

/** The owner, according to another file if owner.json is damaged. */
const ownerIn = (
  known: OwnerRecord | undefined,
  earlier: OwnerRecord | undefined,
): OwnerRecord | undefined => (known?.damaged ? (earlier ?? known) : (known ?? earlier));

/** An owner that cannot be read may be alive. */
const presenceOf = async (owner: OwnerRecord): Promise<Presence> =>
  owner.damaged ? 'unknown' : presence(owner, owner.at);

/** Removes owner.json if it belongs to this owner, which has released the folder or was ended. */
export function disown(folder: string, nonce: string): void {
  const path = ownerFile(folder);
  try {
    if (parseOwner(readFileSync(path))?.nonce === nonce) rmSync(path, { force: true });
  } catch {
    // The next claim finds the record of a process that is gone, which has the same effect.
  }
}

function ownerOf(folder: string, nonce: string, text: string, over: string | undefined): Owner {
  const { dev, ino } = statSync(folder, { bigint: true });
  const restore = () => {
    try {
      // Another folder of the same name does not belong to this owner.
      const there = statSync(folder, { bigint: true });
      if (there.dev !== dev || there.ino !== ino) return;
      writeFileSync(ownerFile(folder), text, { flag: 'wx' });
    } catch {
      // Another process was faster, or the folder is gone; the next read shows which.
    }
  };
  const open = fence(folder, { nonce, restore, over });
  return {
    nonce,
    release() {
      open();
      disown(folder, nonce);
    },
  };
}

/** The reason why an owner cannot be replaced; undefined if it can. */
async function standing(
  found: OwnerRecord,
  where: Presence,
  job: OwnerRecord['job'],
  takeOver?: ClaimRequest['takeOver'],
): Promise<'alive' | 'unseen' | undefined> {
  // The scheduler decides which process may run: an earlier one has lost its job even if it is alive, and finds out
  // before it writes.
  if (job && job.id === found.job?.id && job.restarts > found.job.restarts) return undefined;
  if (where === 'alive') return 'alive';
  return where === 'gone' || (await takeOver?.(found)) ? undefined : 'unseen';
}

/** Creates a file that is complete from the start, unless it already exists. Returns true if it did, or may have. */
function exclusively(whole: string, target: string, text: string): boolean {
  try {
    linkSync(whole, target);
    return true;
  } catch (e) {
    const { code } = e as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (code === 'ENOENT') throw e;
    // A file system without links.
    let fd: number;
    try {
      fd = openSync(target, 'wx');
    } catch (again) {
      if ((again as NodeJS.ErrnoException).code !== 'EEXIST') throw again;
      return false;
    }
    try {
      writeAll(fd, Buffer.from(text));
      fsyncSync(fd);
    } catch (refused) {
      // Half a record would hold the folder for a process that nobody can find.
      discard(target);
      throw refused;
    } finally {
      closeSync(fd);
    }
    return true;
  }
}

/** Takes back the record that names this process, the last of the chain, as the successor of the one before it. */
function withdraw(folder: string, chain: readonly OwnerRecord[]): void {
  const before = chain.at(-2);
  if (before) rmSync(successorFile(folder, before.nonce), { force: true });
}

/**
 * Removes successor files: those of a claim that failed, or else those of owners that have ended or were replaced long ago.
 *
 * @param ended undefined if the claim failed
 */
function tidy(folder: string, nonce: string, ended: ReadonlyMap<string, boolean> | undefined): void {
  try {
    for (const name of readdirSync(folder)) {
      const of = /^\.owner-([\w-]+)\.json$/.exec(name)?.[1];
      if (of === undefined || of === nonce) continue;
      const path = join(folder, name);
      const isOld = () => Date.now() - statSync(path).mtimeMs > REPLACED_MS;
      const isMine = () => parseOwner(readFileSync(path))?.nonce === nonce;
      if (ended ? (ended.get(of) ?? isOld()) : isMine()) rmSync(path, { force: true });
    }
  } catch {
    // They are small and harmless: each applies only to the owner that it names.
  }
}

/** The time in which an incomplete record may still be being written, on file systems without links. */
const UNWRITTEN_MS = 2000;

/** The owner of the folder and those that have replaced it one after the other, none of whom has ended its claim yet. */
async function ownersOf(folder: string): Promise<OwnerRecord[]> {
  const chain: OwnerRecord[] = [];
  let next = await readOwner(ownerFile(folder));
  while (next && !chain.some(({ nonce }) => nonce === next!.nonce)) {
    chain.push(next);
    next = await readOwner(successorFile(folder, next.nonce));
  }
  return chain;
}

/** Undefined if there is none. A damaged record gets a nonce that no process uses. */
async function readOwner(path: string): Promise<OwnerRecord | undefined> {
  for (const until = performance.now() + UNWRITTEN_MS; ; await wait(LOOK_MS)) {
    let bytes: Buffer;
    try {
      bytes = reopening(() => readFileSync(path));
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw e;
    }
    const record = parseOwner(bytes);
    if (record) return record;
    const nonce = `damaged-${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
    if (performance.now() <= until) continue;
    // An empty file is left where a process was killed before it wrote its record.
    return { pid: 0, host: hostname(), nonce, at: 0, ...(bytes.length > 0 && { damaged: true }) };
  }
}

/**
 * The owner as the disk has it now. A client of NFS may show a record that has been replaced, but not under a name that
 * nobody has asked for before.
 */
async function ownerNow(folder: string): Promise<OwnerRecord | undefined> {
  const path = ownerFile(folder);
  const name = temporaryBeside(path);
  try {
    linkSync(path, name);
  } catch (e) {
    const { code = '' } = e as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESTALE') return undefined;
    // A file system without links.
    return readOwner(path);
  }
  try {
    return await readOwner(name);
  } finally {
    rmSync(name, { force: true });
  }
}

/** An owner in a message: "process 42 on node7". */
export const ownerText = ({ pid, host, damaged }: OwnerRecord): string =>
  damaged ? 'a process that its damaged owner.json does not name' : `process ${pid} on ${host}`;

/**
 * The job of a scheduler that this process runs in, and how often the scheduler has started it again. A process with a lower
 * count has ended, or runs without the scheduler's knowledge: Slurm requeues a job, and Kubernetes replaces a pod of a job
 * with a pod failure policy, only once they believe that it has ended.
 *
 * A Slurm job keeps its id. A pod of an Indexed Job has the counts of the pods before it as annotations
 * (`batch.kubernetes.io/job-index-failure-count` and `job-index-ignored-failure-count`), and its manifest passes them on as
 * AURORA_JOB_FAILURES and AURORA_JOB_IGNORED_FAILURES, and the job's uid as AURORA_JOB.
 */
export function schedulerJob(env: NodeJS.ProcessEnv): OwnerRecord['job'] {
  const { SLURM_JOB_ID: id, SLURM_CLUSTER_NAME: cluster = '', SLURM_RESTART_COUNT: count } = env;
  if (id) return { id: `slurm:${cluster}:${id}`, restarts: number(count) };
  const { AURORA_JOB: uid, JOB_COMPLETION_INDEX: index } = env;
  if (!uid || !index) return undefined;
  const { AURORA_JOB_FAILURES: failures, AURORA_JOB_IGNORED_FAILURES: ignored } = env;
  return { id: `kubernetes:${uid}:${index}`, restarts: number(failures) + number(ignored) };
}

/** An annotation that is not there is passed on as an empty string. */
const number = (text: string | undefined): number => Number(text ?? 0) || 0;
