import { createHash, randomBytes } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { factsNow, processExists } from './processes';

/**
 * `.NAME.PLACE-PID-START-NONCE.aurora-tmp`: only we use these names, and readers skip names with a leading dot. Without
 * the start of the process where the system does not report it at once.
 */
const NAME = /^\..+\.([0-9a-f]{8})-(\d+)-(?:s(\d+)-)?[0-9a-f]{8}\.aurora-tmp(\.old)?$/;

/** If the writing process cannot be looked up, nothing that changed within a day counts as abandoned. */
const ABANDONED_MS = 24 * 60 * 60_000;

/** A new name beside `path` for an unfinished file. Shortens the file's name so that any name fits. */
export const temporaryBeside = (path: string): string =>
  join(
    dirname(path),
    `.${basename(path).slice(0, 50)}.${place()}-${process.pid}-${start()}${randomBytes(4).toString('hex')}.aurora-tmp`,
  );

let began: string | undefined;

/**
 * The time when this process started, for its temporary names: after it has ended, another process may get its number.
 */
function start(): string {
  const { started } = began === undefined ? factsNow(process.pid) : {};
  return (began ??= started === undefined ? '' : `s${started}-`);
}

/** True for our names of unfinished files and folders. */
export const isTemporary = (name: string): boolean => NAME.test(name);

/**
 * Removes leftovers of killed writers from `folder`: only names that no other program uses, and only if the writer was
 * a process on this machine that is gone or, if that cannot be determined, nothing in it has changed for a day. Files
 * that cannot be removed stay until the next time.
 *
 * @param now milliseconds since 1970
 * @returns the names removed
 */
export function removeAbandoned(folder: string, now = Date.now()): string[] {
  const removed: string[] = [];
  for (const name of namesIn(folder)) {
    if (!isTemporary(name)) continue;
    const path = join(folder, name);
    try {
      if (!isAbandoned(path, name, now)) continue;
      rmSync(path, { recursive: true, force: true });
      removed.push(name);
    } catch {
      continue;
    }
  }
  return removed;
}

function isAbandoned(path: string, name: string, now: number): boolean {
  const [, where, pid, started] = NAME.exec(name) ?? [];
  if (where === place()) return !processExists(Number(pid)) || isAnother(Number(pid), started);
  return now - newest(path) > ABANDONED_MS;
}

/** True if a process has the number of a writer, but started at another time. */
function isAnother(pid: number, started: string | undefined): boolean {
  const now = factsNow(pid).started;
  return started !== undefined && now !== undefined && now !== Number(started);
}

/** The time when anything in a file or folder last changed, in milliseconds since 1970. */
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

/** Identifies this boot of this machine, and the container in it: elsewhere, a process id has no meaning. */
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
