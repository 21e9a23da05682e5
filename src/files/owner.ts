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
  /** An owner from a time when there was no owner.json, as another file names it. */
  earlier?: OwnerRecord;
  /** Asked about an owner that this machine cannot see: whether its claim may be ended. */
  takeOver?: (owner: OwnerRecord) => Promise<boolean>;
}

export type Claim =
  | { owner: Owner }
  /** `unseen`: it is on another machine, or the system does not say whether it is there. */
  | { heldBy: OwnerRecord; as: 'alive' | 'unseen' };

export interface Owner {
  nonce: string;
  /** Gives the folder up, where it is still this one's. */
  release(): void;
}

/** A record without its content is still being written, where the file system has no links. */
const UNWRITTEN_MS = 2000;
const LOOK_MS = 50;

/**
 * Makes this process the one that writes into a folder, until it releases it or ends; every write there is then
 * fenced (`requireOwned`). An owner whose process is gone is replaced, and so is one whose job the scheduler has
 * started again. Exactly one of several that try at once succeeds.
 *
 * @throws AuroraError 'run' where there is no such folder, 'disk' where it cannot be written
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
      // The first to name itself the successor of this very owner is the only one.
      exclusively(temporary, known ? successorFile(folder, known.nonce) : path, text);
    }
    const before = await read(path);
    const over = before && before.nonce !== mine.nonce ? before.nonce : undefined;
    // Where there was no owner it is there already; where there was, this ends its claim.
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

/** Whose claim `claim` would not end, without asking anybody; undefined where it would succeed. Claims nothing. */
export async function heldBy(
  folder: string,
  earlier?: OwnerRecord,
): Promise<Extract<Claim, { heldBy: OwnerRecord }> | undefined> {
  const found = (await holder(folder)) ?? earlier;
  const as = found && (await standing(found, schedulerJob(process.env)));
  return found && as && { heldBy: found, as };
}

/** Removes owner.json where it is this owner's: it has released the folder, or its process was ended. */
export function disown(folder: string, nonce: string): void {
  const path = ownerFile(folder);
  try {
    if (parseOwner(readFileSync(path))?.nonce === nonce) rmSync(path, { force: true });
  } catch {
    // The next one finds the record of a process that is gone, which is as good.
  }
}

function ownerOf(folder: string, nonce: string, text: string, over: string | undefined): Owner {
  const { dev, ino } = statSync(folder, { bigint: true });
  const restore = () => {
    try {
      // Another folder of this name is not this one's.
      const there = statSync(folder, { bigint: true });
      if (there.dev !== dev || there.ino !== ino) return;
      writeFileSync(ownerFile(folder), text, { flag: 'wx' });
    } catch {
      // Another process was quicker, or the folder is gone: whoever reads it next finds out.
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

/** Why an owner cannot be replaced; undefined where it can. */
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
 * A job that Slurm starts again has its old number and a higher count, and Slurm has made sure that the old
 * processes are gone. Kubernetes tells a pod no such count, and may start the next one before the last has ended.
 */
export function schedulerJob(env: NodeJS.ProcessEnv): OwnerRecord['job'] {
  const { SLURM_JOB_ID: id, SLURM_CLUSTER_NAME: cluster = '', SLURM_RESTART_COUNT: count } = env;
  return id ? { id: `slurm:${cluster}:${id}`, restarts: Number(count ?? 0) } : undefined;
}

const successorFile = (folder: string, nonce: string): string => join(folder, `.owner-${nonce}.json`);

/** Who owns the folder, or is about to, as the last of those that replace one another; undefined where nobody does. */
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
    // Damaged: nobody writes by this name.
    const nonce = `damaged-${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
    if (performance.now() > until) return { pid: 0, host: hostname(), nonce, at: 0 };
  }
}

/** Makes a file that is whole from its first moment, and only where there is none. */
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

/** Takes away what this claim has left of successors' files, and where it succeeded also what earlier ones have. */
function tidy(folder: string, nonce: string, succeeded: boolean): void {
  try {
    for (const name of readdirSync(folder).filter((n) => /^\.owner-[\w-]+\.json$/.test(n))) {
      const path = join(folder, name);
      const isMine = parseOwner(readFileSync(path))?.nonce === nonce;
      if (isMine || (succeeded && name !== `.owner-${nonce}.json`)) rmSync(path, { force: true });
    }
  } catch {
    // They are small and mislead nobody: each names the one owner that it follows.
  }
}
