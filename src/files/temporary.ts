import { createHash, randomBytes } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { processExists } from './process-facts';

/** `.NAME.PLACE-PID-NONCE.aurora-tmp`: nobody else writes such names, and readers skip names with a leading dot. */
const NAME = /^\..+\.([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.aurora-tmp(\.old)?$/;

/** Where the writing process cannot be looked up, nothing that changed within a day is taken for abandoned. */
const ABANDONED_MS = 24 * 60 * 60_000;

/** A new name beside `path` for what is not whole yet. The file's own part is cut so that any target's name fits. */
export const temporaryBeside = (path: string): string =>
  join(
    dirname(path),
    `.${basename(path).slice(0, 50)}.${place()}-${process.pid}-${randomBytes(4).toString('hex')}.aurora-tmp`,
  );

/** Whether we gave a file or folder this name until it was whole. */
export const isTemporary = (name: string): boolean => NAME.test(name);

/**
 * Removes from `folder` what writers that were killed have left: only names that nobody else writes, and only where
 * the writer was a process of this machine that is gone, or, where that cannot be told, nothing in it has changed for
 * a day. What cannot be removed stays for the next time.
 *
 * @param oldNames what earlier versions called temporary files and folders there
 * @param now milliseconds since 1970
 * @returns the names removed
 */
export function removeAbandoned(folder: string, oldNames?: RegExp, now = Date.now()): string[] {
  const removed: string[] = [];
  for (const name of namesIn(folder)) {
    const path = join(folder, name);
    try {
      if (!isAbandoned(path, name, oldNames, now)) continue;
      rmSync(path, { recursive: true, force: true });
      removed.push(name);
    } catch {
      continue;
    }
  }
  return removed;
}

function isAbandoned(path: string, name: string, oldNames: RegExp | undefined, now: number): boolean {
  const [, where, pid] = NAME.exec(name) ?? [];
  if (where === place()) return !processExists(Number(pid));
  if (where === undefined && !oldNames?.test(name)) return false;
  return now - newest(path) > ABANDONED_MS;
}

/** When anything in a file or folder changed last, in milliseconds since 1970. */
function newest(path: string): number {
  const inside = lstatSync(path).isDirectory() ? namesIn(path, true) : [];
  return Math.max(...['', ...inside].map((name) => lstatSync(join(path, name)).mtimeMs));
}

function namesIn(folder: string, recursive = false): string[] {
  try {
    return readdirSync(folder, { recursive, encoding: 'utf8' });
  } catch {
    return [];
  }
}

let known: string | undefined;

/** This boot of this machine, and the container in it: a process id means nothing anywhere else. */
function place(): string {
  if (known !== undefined) return known;
  const boot = read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'));
  const processes = read(() => readlinkSync('/proc/self/ns/pid'));
  const all = [hostname(), boot, processes].join('\n');
  return (known = createHash('sha256').update(all).digest('hex').slice(0, 8));
}

function read(source: () => string): string {
  try {
    return source();
  } catch {
    return '';
  }
}
