import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { diskError } from '../../files/atomic';
import { flushFolder, renameFlushed } from '../../files/folder';
import { removeAbandoned, temporaryBeside } from '../../files/temporary';
import { readFileRef } from '../../graph/values';
import { AuroraError } from '../../base/errors';
import type { ExportRecord } from '../../protocol/export';
import { removedAtEnd } from '../process/removed-at-exit';

/** Beside what was exported: what it is, so that a newer export can replace it, and nothing else is replaced. */
export const RECORD = 'export.json';

/**
 * A folder that is filled beside its place and put there when it is whole. What lies there already stays, unless it is
 * an export as it was written.
 */
export class StagedFolder {
  readonly path: string;
  /** Takes away what was not committed; also when the process ends before. */
  readonly discard: () => void;

  /** @throws AuroraError 'usage' where something else is in the place */
  constructor(readonly target: string) {
    requireFree(target);
    this.path = temporaryBeside(target);
    this.discard = removedAtEnd(this.path);
    try {
      mkdirSync(this.path, { recursive: true });
      removeAbandoned(dirname(target));
    } catch (e) {
      throw diskError(target, e);
    }
  }

  commit(): void {
    requireFree(this.target);
    const old = `${this.path}.old`;
    try {
      flushFolder(this.path);
      if (existsSync(this.target)) renameFlushed(this.target, old);
      renameFlushed(this.path, this.target);
    } catch (e) {
      if (existsSync(old) && !existsSync(this.target)) renameFlushed(old, this.target);
      throw diskError(this.target, e);
    }
    rmSync(old, { recursive: true, force: true });
  }

  /** SHA-256 of each file, by its path in the folder. */
  sums(): Record<string, string> {
    return Object.fromEntries(filesIn(this.path).map((name) => [name, sha256(join(this.path, name))]));
  }
}

/** Whatever is no folder, by its path below this one, with slashes. */
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((e) => !e.isDirectory())
    .map((e) => relative(folder, join(e.parentPath, e.name)).replaceAll('\\', '/'))
    .sort();

/** Of file managers, which look at a folder and leave one. */
const SYSTEM_FILE = /(^|\/)(\.DS_Store|Thumbs\.db|desktop\.ini)$/;

function requireFree(target: string): void {
  const there = statSync(target, { throwIfNoEntry: false });
  if (!there) return;
  const refused = (why: string) =>
    new AuroraError(
      'usage',
      `${target} is there already, and ${why}.`,
      'Choose another folder with --out: an export makes a folder of its own.',
    );
  if (!there.isDirectory()) throw refused('is a file');
  const written = recordedFiles(target);
  for (const name of filesIn(target)) {
    if (SYSTEM_FILE.test(name) || (written && name === RECORD)) continue;
    if (!written) throw refused('is no export of AuroRA Lab');
    if (!written.has(name)) throw refused(`holds ${name}, which was not exported`);
    if (written.get(name) !== sha256(join(target, name)))
      throw refused(`${name} in it was changed since it was exported`);
  }
}

/** By the record that lies in a folder: its files with their SHA-256. Undefined where there is none of ours. */
function recordedFiles(folder: string): Map<string, string> | undefined {
  try {
    const record = JSON.parse(readFileSync(join(folder, RECORD), 'utf8')) as Partial<ExportRecord>;
    return record.program === 'aurora-lab' ? new Map(Object.entries(record.files ?? {})) : undefined;
  } catch {
    return undefined;
  }
}

/** In pieces: a model's data file may be larger than memory. */
export function sha256(path: string): string {
  const hash = createHash('sha256');
  const { size } = statSync(path);
  for (let offset = 0; offset < size; offset += PIECE)
    hash.update(readFileRef({ path, offset, length: Math.min(PIECE, size - offset) }));
  return hash.digest('hex');
}

const PIECE = 1 << 26;
