import { createHash, randomBytes } from 'node:crypto';
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { AuroraError } from '../base/errors';
import { diskError } from './atomic';
import { fence, ownerFile, parseOwner, type OwnerRecord } from './fence';
import { presence, thisProcess } from './processes';
import { temporaryBeside } from './temporary';

export interface ClaimRequest {
  /** The owner according to another file, from a version without an owner.json. */
  earlier?: OwnerRecord;
  /** Decides whether to replace an owner that this machine cannot see. */
  takeOver?: (owner: OwnerRecord) => Promise<boolean>;
}

export type Claim =
  | { owner: Owner }
  /** `unseen`: it is on another machine, or the system does not report whether it exists. */
  | { heldBy: OwnerRecord; as: 'alive' | 'unseen' };

export interface Owner {
  nonce: string;
  /** Gives up the folder, if it still belongs to this owner. */
  release(): void;
}

/** For file systems without links: how long an incomplete record may still be being written. */
const UNWRITTEN_MS = 2000;
const LOOK_MS = 50;

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
  const agreed = new Set<string>();
  let succeeded = false;
  try {
    writeFileSync(temporary, text, { flush: true });
    for (;;) {
      const known = await holder(folder);
      const found = known ?? request.earlier;
      if (found?.nonce === mine.nonce) break;
      const as = found && !agreed.has(found.nonce) && (await standing(found, mine.job, request.takeOver));
      if (found && as) return { heldBy: found, as };
      if (found) agreed.add(found.nonce);
      // Only the first process that names itself the successor of this owner succeeds.
      exclusively(temporary, known ? successorFile(folder, known.nonce) : path, text);
    }
    const before = await read(path);
    const over = before && before.nonce !== mine.nonce ? before.nonce : undefined;
    // If there was no owner, the record is already in place; otherwise this ends the previous owner's claim.
    renameSync(temporary, path);
    succeeded = true;
    return { owner: ownerOf(folder, mine.nonce, text, over) };
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT' && !statSync(folder, { throwIfNoEntry: false }))
      throw new AuroraError('run', `There is no folder ${folder}.`, 'Check the path.', { cause: e });
    throw diskError(path, e);
  } finally {
    rmSync(temporary, { force: true });
    tidy(folder, mine.nonce, succeeded);
  }
}

/** The owner that `claim` would not replace without asking; undefined if it would succeed. Claims nothing. */
export async function heldBy(
  folder: string,
  earlier?: OwnerRecord,
): Promise<Extract<Claim, { heldBy: OwnerRecord }> | undefined> {
  const found = (await holder(folder)) ?? earlier;
  const as = found && (await standing(found, schedulerJob(process.env)));
  return found && as && { heldBy: found, as };
}

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
  const open = fence(folder, { nonce, restore, ...(over !== undefined && { over }) });
  return {
    nonce,
    release() {
      open();
      disown(folder, nonce);
    },
  };
}

/** Why an owner cannot be replaced; undefined if it can. */
async function standing(
  found: OwnerRecord,
  job: OwnerRecord['job'],
  takeOver?: ClaimRequest['takeOver'],
): Promise<'alive' | 'unseen' | undefined> {
  const where = await presence(found, found.at);
  if (where === 'alive') return 'alive';
  const restarted = job && job.id === found.job?.id && job.restarts > found.job.restarts;
  return where === 'gone' || restarted || (await takeOver?.(found)) ? undefined : 'unseen';
}

/**
 * A job that Slurm restarts keeps its id and gets a higher count, and Slurm ensures that the old processes are gone. An index of
 * a Kubernetes job counts the pods that it had (our manifest passes on both counts), and with `podReplacementPolicy: Failed`
 * the next pod starts only when the last one has ended.
 */
export function schedulerJob(env: NodeJS.ProcessEnv): OwnerRecord['job'] {
  const { SLURM_JOB_ID: id, SLURM_CLUSTER_NAME: cluster = '', SLURM_RESTART_COUNT: count } = env;
  if (id) return { id: `slurm:${cluster}:${id}`, restarts: Number(count ?? 0) };
  const { AURORA_KUBERNETES_JOB: uid, JOB_COMPLETION_INDEX: index } = env;
  if (!uid || !index) return undefined;
  const { AURORA_KUBERNETES_FAILURES: failures, AURORA_KUBERNETES_IGNORED: ignored } = env;
  // A count that a pod does not have is an empty text.
  return { id: `kubernetes:${uid}:${index}`, restarts: Number(failures ?? 0) + Number(ignored ?? 0) };
}

const successorFile = (folder: string, nonce: string): string => join(folder, `.owner-${nonce}.json`);

/** The current or next owner of the folder: the last in the chain of successors. Undefined if there is none. */
async function holder(folder: string): Promise<OwnerRecord | undefined> {
  let last = await read(ownerFile(folder));
  const seen = new Set<string>();
  while (last && !seen.has(last.nonce)) {
    seen.add(last.nonce);
    last = (await read(successorFile(folder, last.nonce))) ?? last;
  }
  return last;
}

async function read(path: string): Promise<OwnerRecord | undefined> {
  for (const until = performance.now() + UNWRITTEN_MS; ; await wait(LOOK_MS)) {
    let bytes: Buffer;
    try {
      bytes = readFileSync(path);
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw e;
    }
    const record = parseOwner(bytes);
    if (record) return record;
    // Damaged: gets a nonce that no process uses.
    const nonce = `damaged-${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
    if (performance.now() > until) return { pid: 0, host: hostname(), nonce, at: 0 };
  }
}

/** Creates a file that is complete from the start, unless it already exists. */
function exclusively(whole: string, target: string, text: string): void {
  try {
    linkSync(whole, target);
  } catch (e) {
    const { code } = e as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code === 'ENOENT') throw e;
    // A file system without links.
    try {
      writeFileSync(target, text, { flag: 'wx', flush: true });
    } catch (again) {
      if ((again as NodeJS.ErrnoException).code !== 'EEXIST') throw again;
    }
  }
}

/** Removes the successor files of this claim and, if it succeeded, those of earlier ones. */
function tidy(folder: string, nonce: string, succeeded: boolean): void {
  try {
    for (const name of readdirSync(folder).filter((n) => /^\.owner-[\w-]+\.json$/.test(n))) {
      const path = join(folder, name);
      const isMine = parseOwner(readFileSync(path))?.nonce === nonce;
      if (isMine || (succeeded && name !== `.owner-${nonce}.json`)) rmSync(path, { force: true });
    }
  } catch {
    // They are small and harmless: each applies only to the owner that it names.
  }
}
