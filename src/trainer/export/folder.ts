import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { diskError } from '../../graph/files';
import { readFileRef } from '../../graph/values';
import { AuroraError } from '../../shared/errors';
import { removedAtEnd } from '../removed';

/** Beside what was exported: what it is, so that it can be replaced by a newer export and by nothing else. */
export const RECORD = 'export.json';

/**
 * A folder that is filled beside its place and put there when it is whole. What lies there already stays, unless it is
 * an export itself.
 */
export class StagedFolder {
  readonly path: string;
  /** Takes away what was not committed; also when the process ends before. */
  readonly discard: () => void;

  /** @throws AuroraError 'usage' where something else is in the place */
  constructor(readonly target: string) {
    requireFree(target);
    const name = `.${basename(target)}.${randomBytes(4).toString('hex')}.tmp`;
    this.path = join(dirname(target), name);
    this.discard = removedAtEnd(this.path);
    try {
      mkdirSync(this.path, { recursive: true });
    } catch (e) {
      throw diskError(target, e);
    }
  }

  commit(): void {
    try {
      requireFree(this.target);
      const old = `${this.path}.old`;
      if (existsSync(this.target)) renameSync(this.target, old);
      renameSync(this.path, this.target);
      rmSync(old, { recursive: true, force: true });
    } catch (e) {
      throw diskError(this.target, e);
    }
  }

  /** SHA-256 of each file, by its path in the folder. */
  sums(): Record<string, string> {
    const files = readdirSync(this.path, { recursive: true, withFileTypes: true })
      .filter((e) => e.isFile())
      .map((e) => join(e.parentPath, e.name))
      .sort();
    return Object.fromEntries(
      files.map((f) => [f.slice(this.path.length + 1).replaceAll('\\', '/'), sha256(f)]),
    );
  }
}

function requireFree(target: string): void {
  const there = statSync(target, { throwIfNoEntry: false });
  if (!there) return;
  if (there.isDirectory() && (existsSync(join(target, RECORD)) || readdirSync(target).length === 0)) return;
  throw new AuroraError(
    'usage',
    `${target} is there already, and is no export of AuroRA Lab.`,
    'Choose another folder with --out: an export makes a folder of its own.',
  );
}

/** In pieces: a model's data file may be larger than memory. */
function sha256(path: string): string {
  const hash = createHash('sha256');
  const { size } = statSync(path);
  for (let offset = 0; offset < size; offset += PIECE)
    hash.update(readFileRef({ path, offset, length: Math.min(PIECE, size - offset) }));
  return hash.digest('hex');
}

const PIECE = 1 << 26;
