import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { AuroraError } from '../base/errors';
import { diskError } from '../files/atomic';
import { flushFolder, renameFlushed } from '../files/folder';
import { removeAbandoned, temporaryBeside } from '../files/temporary';
import { readFileRef } from '../graph/values';
import type { ExportRecord } from '../protocol/export';
import { removedAtEnd } from '../training/process/removed-at-exit';

/** Describes an export in its folder, so that a newer export can replace it and nothing else is replaced. */
export const RECORD = 'export.json';

/**
 * A folder that is filled beside its target and moved there once complete. Existing files stay, unless they are an
 * unmodified export.
 */
export class StagedFolder {
  readonly path: string;
  /** Removes files that were not committed, also if the process ends before. */
  readonly discard: () => void;

  /** @throws AuroraError 'usage' if something else exists there */
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

/** Everything but folders, by path relative to this one, with slashes. */
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((e) => !e.isDirectory())
    .map((e) => relative(folder, join(e.parentPath, e.name)).replaceAll('\\', '/'))
    .sort();

/** Left behind by file managers that open a folder. */
const SYSTEM_FILE = /(^|\/)(\.DS_Store|Thumbs\.db|desktop\.ini)$/;

function requireFree(target: string): void {
  const there = statSync(target, { throwIfNoEntry: false });
  if (!there) return;
  const refused = (why: string) =>
    new AuroraError('usage', `${target} already exists and ${why}.`, 'Choose a new folder with --out.');
  if (!there.isDirectory()) throw refused('is a file');
  const written = recordedFiles(target);
  for (const name of filesIn(target)) {
    if (SYSTEM_FILE.test(name) || (written && name === RECORD)) continue;
    if (!written) throw refused('is not an AuroRA Lab export');
    if (!written.has(name)) throw refused(`contains ${name}, which was not exported`);
    if (written.get(name) !== sha256(join(target, name)))
      throw refused(`contains ${name}, which has changed since it was exported`);
  }
}

/** The files with their SHA-256, from the record in a folder. Undefined if it has no such record. */
function recordedFiles(folder: string): Map<string, string> | undefined {
  try {
    const record = JSON.parse(readFileSync(join(folder, RECORD), 'utf8')) as Partial<ExportRecord>;
    return record.program === 'aurora-lab' ? new Map(Object.entries(record.files ?? {})) : undefined;
  } catch {
    return undefined;
  }
}

/** In chunks: a model's data file may be larger than memory. */
export function sha256(path: string): string {
  const hash = createHash('sha256');
  const { size } = statSync(path);
  for (let offset = 0; offset < size; offset += PIECE)
    hash.update(readFileRef({ path, offset, length: Math.min(PIECE, size - offset) }));
  return hash.digest('hex');
}

const PIECE = 1 << 26;
