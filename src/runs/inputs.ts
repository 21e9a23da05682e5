import { resolve } from 'node:path';
import { AuroraError } from '../base/errors';
import { hubReferenceText, referenceOf } from '../experiment/hub-reference';
import { writeAtomic } from '../files/atomic';
import type { HashedFile } from '../files/hash';
import { hashData, identifyData } from '../files/identify-data';
import { type FileIdentity, sameIdentity, sameWriting } from '../files/identity';
import { readJsonIfThere } from '../files/json';
import { matchedBy } from '../files/pattern';
import { isFolder } from '../files/tree';
import type { InputChange, InputRole } from '../protocol/events';
import { changedImages, hashImages } from './image-set';
import { foundInput, type InputFile, isInputFile, storedInput } from './input-file';
import { runPaths } from './layout';

export type { InputFile } from './input-file';

/** A file before it is hashed. */
export interface NamedInput extends Pick<InputFile, 'role' | 'path' | 'pattern'> {
  /** Absolute paths of the images that it names. */
  images?: readonly string[];
}

/** inputs.json: the files that a run has been trained on since step `since`. */
export interface InputsRecord {
  version: 1;
  since: number;
  files: InputFile[];
  /** The files before that, newest last, if the run was continued with changed files. */
  earlier?: { since: number; files: InputFile[] }[];
}

export function writeInputs(run: string, record: InputsRecord): void {
  const stored = (file: InputFile) => storedInput(run, withReference(file));
  const files = record.files.map(stored);
  const earlier = record.earlier?.map((e) => ({ ...e, files: e.files.map(stored) }));
  const value = { ...record, folder: resolve(run), files, ...(earlier && { earlier }) };
  writeAtomic(runPaths(run).inputs, `${JSON.stringify(value, null, 2)}\n`, run);
}

/** The record with a reference: on another machine, a path may no longer lead to it. */
function withReference(file: InputFile): InputFile {
  const ref = file.sha256 === null ? undefined : referenceOf(file.path);
  return ref ? { ...file, hub: hubReferenceText(ref) } : file;
}

/** From now on, a file of the run must be read to count as unchanged: its times did not show a change. */
export function distrustTimes(run: string, path: string): void {
  const record = readInputs(run);
  if (!record) return;
  const files = record.files.map((file) => (file.path === path ? { ...file, identity: undefined } : file));
  writeInputs(run, { ...record, files });
}

/** Undefined if the run has no record: it ended before its files were hashed. */
export function readInputs(run: string): InputsRecord | undefined {
  const path = runPaths(run).inputs;
  const value = readJsonIfThere(path) as Partial<InputsRecord> | null | undefined;
  if (value === undefined) return undefined;
  const whole = (r: Partial<InputsRecord> | null | undefined) =>
    typeof r?.since === 'number' && Array.isArray(r.files) && r.files.every(isInputFile);
  if (value?.version === 1 && whole(value) && (value.earlier ?? []).every(whole)) {
    const { folder: was, ...record } = value as InputsRecord & { folder?: string };
    const found = (file: InputFile) => foundInput(run, file, was);
    const { earlier } = record;
    return {
      ...{ ...record, files: record.files.map(found) },
      ...(earlier && { earlier: earlier.map((e) => ({ ...e, files: e.files.map(found) })) }),
    };
  }
  throw new AuroraError(
    'run',
    `${path} does not list the files that the run was trained on.`,
    'It was changed or damaged after it was written; restore it from a copy. If you delete it, the run counts as one without recorded inputs.',
  );
}

/** The files that the steps up to and including `step` were trained on. Undefined if not recorded. */
export const filesBehind = (record: InputsRecord, step: number): InputFile[] | undefined =>
  segments(record).findLast(({ since }) => since === 0 || since < step)?.files;

/** The files with which training continues after a step. */
export const filesFrom = (record: InputsRecord, step: number): InputFile[] | undefined =>
  segments(record).findLast(({ since }) => since <= step)?.files;

/** The record as it was at a step. Undefined if it started later. */
export function inputsUpTo(record: InputsRecord, step: number): InputsRecord | undefined {
  const kept = segments(record).filter(({ since }) => since <= step);
  const last = kept.pop();
  if (!last) return undefined;
  return { version: 1, ...last, ...(kept.length > 0 && { earlier: kept }) };
}

const segments = ({ since, files, earlier = [] }: InputsRecord) => [...earlier, { since, files }];

export interface CompareOptions {
  /**
   * For callers that cannot read gigabytes: an unchanged modification time is enough, and a file of more bytes than
   * this counts as unchanged if its size is the same.
   */
  largest?: number;
  /** For several comparisons at about the same time. */
  now?: FilesNow;
}

/** The files that differ on disk from their recorded state. */
export async function changedInputs(
  files: readonly InputFile[],
  { largest, now = new FilesNow() }: CompareOptions = {},
): Promise<InputChange[]> {
  const changes: InputChange[] = [];
  for (const file of files) {
    const after = await sumNow(file, largest, now);
    if (after !== file.sha256) changes.push({ role: file.role, path: file.path, before: file.sha256, after });
    if (file.images) changes.push(...changedImages(file, file.images, largest));
  }
  for (const { role, path } of addedFiles(files)) {
    const large = largest !== undefined && (now.identity(path)?.size ?? 0) > largest;
    const after = large ? '' : ((await now.hash(path))?.sha256 ?? null);
    if (after !== null) changes.push({ role, path, before: null, after });
  }
  return changes;
}

/** Files that match a recorded pattern by now, and did not then. */
export function addedFiles(files: readonly InputFile[]): Pick<InputFile, 'role' | 'path' | 'pattern'>[] {
  const known = new Set(files.map(({ path }) => path));
  const patterns = new Map<string, InputRole>();
  for (const { pattern, role } of files) if (pattern !== undefined) patterns.set(pattern, role);
  return [...patterns].flatMap(([pattern, role]) =>
    matchedBy(pattern)
      .filter((path) => path !== pattern && !known.has(path))
      .map((path) => ({ role, path, pattern })),
  );
}

/**
 * A file as it is on disk now.
 *
 * @throws AuroraError 'inputs' if it exists and cannot be read
 */
export async function hashInput({ images: paths, ...named }: NamedInput): Promise<InputFile> {
  const { path } = named;
  const file = identifyData(path) && (await new FilesNow().hash(path));
  const images = paths && { images: hashImages(path, paths) };
  if (!file) return { ...named, size: 0, sha256: null, ...images };
  const { sha256, identity, settled } = file;
  return { ...named, size: identity.size, sha256, ...(settled && { identity }), ...images };
}

async function sumNow(
  { path, size, sha256, identity }: InputFile,
  largest: number | undefined,
  files: FilesNow,
): Promise<string | null> {
  // Looking at every file of a folder would block the editor, which gives a limit.
  if (largest !== undefined && isFolder(path)) return sha256;
  const now = files.identity(path);
  if (!now) return null;
  if (identity && (largest === undefined ? sameIdentity : sameWriting)(identity, now)) return sha256;
  if (largest !== undefined && now.size > largest && now.size === size) return sha256;
  return (await files.hash(path))?.sha256 ?? null;
}

/**
 * Files as they are now, each looked at and hashed once: thousands of runs may have been trained on the same ones. For one
 * comparison, since it does not notice later changes.
 */
export class FilesNow {
  private readonly identities = new Map<string, FileIdentity | undefined>();
  private readonly hashes = new Map<string, Promise<HashedFile | undefined>>();

  /** The identity of a file; undefined if it does not exist. */
  identity(path: string): FileIdentity | undefined {
    if (!this.identities.has(path)) this.identities.set(path, identifyData(path));
    return this.identities.get(path);
  }

  /**
   * The hash of a file; undefined if it does not exist.
   *
   * @throws AuroraError 'inputs' if it exists and cannot be read
   */
  hash(path: string): Promise<HashedFile | undefined> {
    const known = this.hashes.get(path);
    if (known) return known;
    const hash = hashIfThere(path);
    this.hashes.set(path, hash);
    return hash;
  }
}

async function hashIfThere(path: string): Promise<HashedFile | undefined> {
  try {
    return await hashData(path);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new AuroraError('inputs', `${path} cannot be compared: ${(e as Error).message}.`, undefined, {
      cause: e,
    });
  }
}
