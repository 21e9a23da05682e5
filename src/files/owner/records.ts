import { createHash } from 'node:crypto';
import { linkSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { ownerFile, parseOwner, successorFile, type OwnerRecord } from '../fence';
import { reopening } from '../read';
import { temporaryBeside } from '../temporary';

/** The time in which an incomplete record may still be being written, on file systems without links. */
const UNWRITTEN_MS = 2000;
const LOOK_MS = 50;

/** The owner of the folder and those that have replaced it one after the other, none of whom has ended its claim yet. */
export async function ownersOf(folder: string): Promise<OwnerRecord[]> {
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
export async function ownerNow(folder: string): Promise<OwnerRecord | undefined> {
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
