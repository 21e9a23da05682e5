import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  statSync,
  type BigIntStats,
} from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { diskError } from '../files/atomic';
import { AuroraError } from '../base/errors';

/** Identifies a file or folder regardless of its name: its device and its inode there. */
type Identity = Pick<BigIntStats, 'dev' | 'ino'>;

/**
 * A run's folder as it was when this process started writing to it. Detects when the folder, or a file that this
 * process holds open in it, is moved, removed or replaced. While the folder is open, no other folder gets its inode.
 */
export class HeldFolder {
  private readonly watched = new Map<string, Identity>();

  private constructor(
    readonly run: string,
    /** Undefined if the system cannot open folders. */
    private readonly fd: number | undefined,
    private readonly folder: Identity,
  ) {}

  static open(run: string): HeldFolder {
    try {
      const fd = process.platform === 'win32' ? undefined : openSync(run, 'r');
      const identity = fd === undefined ? statSync(run, { bigint: true }) : fstatSync(fd, { bigint: true });
      return new HeldFolder(run, fd, identity);
    } catch (e) {
      throw diskError(run, e);
    }
  }

  /** From now on, the file at this path must stay the same. Replacing it atomically counts as a change. */
  watch(path: string): void {
    this.watched.set(path, statSync(path, { bigint: true }));
  }

  /** The run's folder or a watched file, if it is missing from its place. Ignores a disk that does not respond. */
  lost(): string | undefined {
    const all: [string, Identity][] = [[this.run, this.folder], ...this.watched];
    return all.find(([path, identity]) => isElsewhere(path, identity))?.[0];
  }

  /** @throws AuroraError 'lost' if the folder or a watched file is missing from its place */
  require(): void {
    const lost = this.lost();
    if (lost !== undefined) throw new AuroraError('lost', lossOf(lost, this.run));
  }

  /** The folder's current path after it was moved; undefined if it was removed or cannot be found. */
  now(): string | undefined {
    const named = this.fd === undefined ? undefined : linkOf(`/proc/self/fd/${this.fd}`);
    const siblings = () => namesIn(dirname(this.run)).map((name) => join(dirname(this.run), name));
    const places = named === undefined ? siblings() : [named];
    return places.find((path) => isElsewhere(path, this.folder) === false);
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
  }
}

/** The missing path that made a write in the run's folder fail, as while the folder is being removed, or undefined. */
export function goneBelow(run: string, e: unknown): string | undefined {
  const { code, path, dest } = ((e as Error).cause ?? {}) as NodeJS.ErrnoException & { dest?: string };
  const at = dest ?? path;
  return code === 'ENOENT' && at?.startsWith(run + sep) ? at : undefined;
}

/** Describes the folder or file that is missing from its place. */
export const lossOf = (lost: string, run: string): string =>
  lost === run
    ? `The folder of the run, ${run}, was moved or removed while it was trained.`
    : `${basename(lost)} of the run ${run} was moved, removed or replaced while it was trained.`;

/** Undefined if the disk does not respond. */
function isElsewhere(path: string, { dev, ino }: Identity): boolean | undefined {
  try {
    const there = statSync(path, { bigint: true, throwIfNoEntry: false });
    return there?.dev !== dev || there.ino !== ino;
  } catch (e) {
    return (e as NodeJS.ErrnoException).code === 'ENOTDIR' ? true : undefined;
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
