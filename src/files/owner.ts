import { randomBytes } from 'node:crypto';
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { AuroraError } from '../base/errors';
import { diskError } from './atomic';
import { fence, ownerFile, parseOwner, successorFile, type OwnerRecord } from './fence';
import { ownerNow, ownersOf } from './owner/records';
import { presence, thisProcess, type Presence } from './processes';
import { schedulerJob } from './owner/scheduler-job';
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
    if ((e as NodeJS.ErrnoException).code === 'ENOENT' && !statSync(folder, { throwIfNoEntry: false }))
      throw new AuroraError('run', `There is no folder ${folder}.`, 'Check the path.', { cause: e });
    throw diskError(path, e);
  } finally {
    rmSync(temporary, { force: true });
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
    try {
      writeFileSync(target, text, { flag: 'wx', flush: true });
      return true;
    } catch (again) {
      if ((again as NodeJS.ErrnoException).code !== 'EEXIST') throw again;
      return false;
    }
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
