import { readFileSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { AuroraError } from '../base/errors';
import { isPid, type ProcessRecord } from './processes';
import { reopening } from './read';

/** owner.json: the only process that may write to a folder; `files/owner.ts` decides which one. */
export interface OwnerRecord extends ProcessRecord {
  nonce: string;
  /** The time when it became the owner, in ms since 1970. */
  at: number;
  /** The scheduler's job that it runs in, and how often that job was restarted. */
  job?: { id: string; restarts: number };
  /** The file has content, but no owner of the folder. Such a record has the pid 0. */
  damaged?: true;
}

export const ownerFile = (folder: string): string => join(folder, 'owner.json');

/**
 * Names the owner that replaces the one with this nonce. It stays for a while if that owner was not known to have
 * ended: even without owner.json, it must find that it has been replaced.
 */
export const successorFile = (folder: string, nonce: string): string => join(folder, `.owner-${nonce}.json`);

/** A nonce is part of a file name. */
const NONCE = /^[\w-]{1,64}$/;

/** Undefined if the bytes are not an owner's record. */
export function parseOwner(bytes: Uint8Array): OwnerRecord | undefined {
  try {
    const record = JSON.parse(Buffer.from(bytes).toString('utf8')) as OwnerRecord | null;
    const isRecord =
      typeof record?.nonce === 'string' &&
      NONCE.test(record.nonce) &&
      isPid(record.pid) &&
      typeof record.host === 'string';
    return isRecord ? record : undefined;
  } catch {
    return undefined;
  }
}

/** This process, or this thread of it, as the owner of a folder. */
export interface Writer {
  nonce: string;
  /** The nonce of the owner that this one replaced; undefined if there was none. */
  over?: string;
  /** Restores an owner.json that was removed. */
  restore?: () => void;
}

const writers = new Map<string, Writer>();

/** From now on, `requireOwned` guards the folder, until the returned function is called. */
export function fence(folder: string, writer: Writer): () => void {
  const path = resolve(folder);
  writers.set(path, writer);
  return () => {
    if (writers.get(path) === writer) writers.delete(path);
  };
}

/** The owner as which this process writes a file; undefined if it does not own a folder that contains the file. */
export const writerOf = (path: string): Writer | undefined => find(path)?.[1];

function find(path: string): [folder: string, writer: Writer] | undefined {
  if (writers.size === 0) return undefined;
  const whole = resolve(path) + sep;
  return [...writers].find(([folder]) => whole.startsWith(folder + sep));
}

/**
 * Call before each write, rename or removal in a folder that may have an owner. If this process was suspended for long,
 * it may have been presumed dead, or the user may have let another process take over and write.
 *
 * @throws AuroraError 'owned' if another process has taken over a folder that this process owned
 */
export function requireOwned(path: string): void {
  const found = find(path);
  const other = found && otherOwner(...found);
  if (!other) return;
  throw new AuroraError(
    'owned',
    `Process ${other.pid} on ${other.host} has taken over ${found[0]}.`,
    'This process has stopped and has written nothing since.',
  );
}

/** True if no other process has taken over a folder that this process owned. */
export function stillOwned(path: string): boolean {
  const found = find(path);
  return !found || !otherOwner(...found);
}

function otherOwner(folder: string, { nonce, restore }: Writer): OwnerRecord | undefined {
  let owner: OwnerRecord | undefined;
  try {
    owner = parseOwner(reopening(() => readFileSync(ownerFile(folder))));
  } catch (e) {
    // A disk that does not respond is not another owner. A missing file is restored before another process claims it.
    if ((e as NodeJS.ErrnoException).code !== 'ENOENT' || !restore) return undefined;
    const successor = successorOf(folder, nonce);
    if (successor) return successor;
    restore();
    return otherOwner(folder, { nonce });
  }
  return owner && owner.nonce !== nonce ? owner : undefined;
}

/** The owner that replaced another one and has released the folder since. */
function successorOf(folder: string, nonce: string): OwnerRecord | undefined {
  try {
    return parseOwner(reopening(() => readFileSync(successorFile(folder, nonce))));
  } catch {
    return undefined;
  }
}
