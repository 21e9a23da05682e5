import { readFileSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { AuroraError } from '../base/errors';
import type { ProcessRecord } from './processes';

/** owner.json: which process alone may write into a folder; `files/owner.ts` decides who that is. */
export interface OwnerRecord extends ProcessRecord {
  nonce: string;
  /** When it became the owner, in ms since 1970. */
  at: number;
  /** The scheduler's job that it runs in, and how often that was started before. */
  job?: { id: string; restarts: number };
}

export const ownerFile = (folder: string): string => join(folder, 'owner.json');

/** A nonce is part of a file's name. */
const NONCE = /^[\w-]{1,64}$/;

/** Undefined where the bytes are no owner's record. */
export function parseOwner(bytes: Uint8Array): OwnerRecord | undefined {
  try {
    const record = JSON.parse(Buffer.from(bytes).toString('utf8')) as OwnerRecord | null;
    return typeof record?.nonce === 'string' && NONCE.test(record.nonce) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** What this process, or this thread of it, writes into as its owner. */
export interface Writer {
  nonce: string;
  /** The nonce of the owner whose claim this one ended; undefined where there was none. */
  over?: string;
  /** Puts owner.json back where somebody has removed it. */
  restore?: () => void;
}

const writers = new Map<string, Writer>();

/** From now on `requireOwned` looks after the folder, until the function that is returned is called. */
export function fence(folder: string, writer: Writer): () => void {
  const path = resolve(folder);
  writers.set(path, writer);
  return () => {
    if (writers.get(path) === writer) writers.delete(path);
  };
}

/** As whom this process writes a file; undefined where it owns no folder that the file is in. */
export const writerOf = (path: string): Writer | undefined => find(path)?.[1];

function find(path: string): [folder: string, writer: Writer] | undefined {
  if (writers.size === 0) return undefined;
  const whole = resolve(path) + sep;
  return [...writers].find(([folder]) => whole.startsWith(folder + sep));
}

/**
 * To be called before each write, rename or removal in a folder that may have an owner. A process that has stood
 * still for long may have been taken for dead, or replaced by a person's decision: another one writes then.
 *
 * @throws AuroraError 'owned' where another process has become the owner of a folder that was this one's
 */
export function requireOwned(path: string): void {
  const found = find(path);
  const other = found && otherOwner(...found);
  if (!other) return;
  throw new AuroraError(
    'owned',
    `Process ${other.pid} on ${other.host} has taken over ${found[0]}.`,
    'This process has stopped, and has written nothing since.',
  );
}

/** Whether no other process has become the owner of what this one owned. */
export function stillOwned(path: string): boolean {
  const found = find(path);
  return !found || !otherOwner(...found);
}

function otherOwner(folder: string, { nonce, restore }: Writer): OwnerRecord | undefined {
  let owner: OwnerRecord | undefined;
  try {
    owner = parseOwner(readFileSync(ownerFile(folder)));
  } catch (e) {
    // A disk that does not answer is not another owner; a file that is gone may become one's.
    if ((e as NodeJS.ErrnoException).code !== 'ENOENT' || !restore) return undefined;
    restore();
    return otherOwner(folder, { nonce });
  }
  return owner && owner.nonce !== nonce ? owner : undefined;
}
