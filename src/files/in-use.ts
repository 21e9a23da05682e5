import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { discard } from './atomic';
import { presenceNow, thisProcess, type ProcessRecord } from './processes';

/** A folder in each copy of the programs, or of a model, with a file for each process that runs from it, named by process id. */
export const IN_USE = 'in-use';

/**
 * Marks a copy as in use by this process, so that no other process removes it. A killed process leaves its mark behind,
 * so a remover of copies checks if the process exists.
 *
 * @param copy a folder that contains `IN_USE`
 * @returns a function that removes the mark
 * @throws the system's error if the folder is missing or the mark cannot be written
 */
export function noteUse(copy: string): () => void {
  // Two machines that share a home folder may have processes with the same id.
  const note = join(copy, IN_USE, `${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    writeFileSync(note, `${JSON.stringify(thisProcess())}\n`);
  } catch (e) {
    // A mark that nobody can read would keep the copy for ever.
    discard(note);
    throw e;
  }
  return () => {
    try {
      rmSync(note, { force: true });
    } catch {
      // The mark is harmless once the process is gone.
    }
  };
}

/** The copies that this process uses until it ends, and how their marks are removed. */
const held = new Map<string, () => void>();

/** Marks a copy as in use until this process ends. */
export function useUntilExit(copy: string): void {
  if (held.has(copy)) return;
  mkdirSync(join(copy, IN_USE), { recursive: true });
  // One listener for all: Node warns of a leak from the eleventh on.
  if (held.size === 0) process.once('exit', () => held.forEach((remove) => remove()));
  held.set(copy, noteUse(copy));
}

/** True if a process that may still exist uses a copy. */
export function isInUse(copy: string): boolean {
  const folder = join(copy, IN_USE);
  return namesIn(folder).some((name) => {
    try {
      return presenceNow(JSON.parse(readFileSync(join(folder, name), 'utf8')) as ProcessRecord) !== 'gone';
    } catch {
      // Half written, or just removed.
      return namesIn(folder).includes(name);
    }
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
