import { setTimeout as wait } from 'node:timers/promises';
import { AuroraError } from '../../base/errors';
import type { Experiment } from '../../experiment/experiment';
import type { HashedFile } from '../../files/hash';
import { identifyData } from '../../files/identify-data';
import { type FileIdentity, isFresh, sameIdentity, sameWriting } from '../../files/identity';
import { identifySet } from '../../files/inputs/file-set';
import { seeingInputs } from '../../files/inputs/open';
import type { InputChange, InputRole } from '../../protocol/events';
import { changeWords } from '../../protocol/inputs-words';
import { imageChanges, imageSet, imagesIn } from '../../runs/image-set';
import type { ImageSet, InputFile } from '../../runs/input-file';
import { addedFiles, filesFrom, type InputsRecord, readInputs, writeInputs } from '../../runs/inputs';
import { type HashedPath, type HashedTask, hashInBackground, type Hashing } from './hashing';
import { SeenInputs } from './seen';

/** Interval between checks of a recently changed file, and their number. */
const LOOK_MS = 60;
const LOOKS = 5;

/**
 * The inputs of a run: identified before they are read, hashed during training, and recorded before its first
 * checkpoint.
 */
export class RunInputs {
  private readonly seen: SeenInputs;
  /** The identity of each file before it was read, by path. */
  private readonly identities = new Map<string, FileIdentity | undefined>();
  /** Files hashed so far, by path. */
  readonly hashed = new Map<string, HashedFile>();
  private sets = new Map<string, readonly string[]>();
  private setsBefore = new Map<string, FileIdentity>();
  private hashing: Hashing | undefined;
  private written: Promise<void> | undefined;

  private constructor(spec: Experiment) {
    this.seen = new SeenInputs(spec, ({ path }) => this.identities.set(path, identifyNow(path)));
  }

  /** Call before any of the files is read. */
  static async begin(spec: Experiment): Promise<RunInputs> {
    const inputs = new RunInputs(spec);
    for (const { path } of inputs.seen.all) inputs.identities.set(path, await identifyLater(path));
    return inputs;
  }

  /** Calls a reader of the files: each counts as an input. */
  reading<T>(read: () => T): T {
    return seeingInputs(this.seen.see, read);
  }

  /** The model file and its data files, as they were when the run started; each once, by any path. */
  get modelFiles(): { path: string; identity: FileIdentity }[] {
    const files = this.seen.all.flatMap(({ role, path }) => {
      const identity = this.identities.get(path);
      return (role === 'model' || role === 'model-data') && identity ? [{ path, identity }] : [];
    });
    return [
      ...new Map(files.map((file) => [`${file.identity.device} ${file.identity.inode}`, file])).values(),
    ];
  }

  /** Call when everything has been read. @param worker the built hash-worker */
  hash(worker: string): void {
    const files = this.seen.all;
    const paths = files.map(({ path }) => path).filter((path) => this.identities.get(path));
    this.sets = new Map(files.flatMap(({ path, images }) => (images ? [[path, images]] : [])));
    this.setsBefore = new Map([...this.sets].map(([path, images]) => [path, identifySet(images)]));
    this.hashing = hashInBackground({ paths, sets: this.sets, again: false }, worker);
  }

  /**
   * Writes inputs.json, or compares with the existing one.
   *
   * @param since the step that the run started at, or continued at with changed files
   * @param accepted true if the user has accepted changed files
   * @throws AuroraError 'inputs' if a file changed while it was being read, or since the run was trained on it
   */
  recorded(run: string, since: number, accepted: boolean): Promise<void> {
    return (this.written ??= this.record(run, since, accepted));
  }

  cancel(): void {
    void this.hashing?.cancel();
  }

  private async record(run: string, since: number, accepted: boolean): Promise<void> {
    // The thread does not keep the process alive, and possibly nothing else does while it is awaited.
    const alive = setInterval(() => undefined, 1 << 30);
    const files = await this.files().finally(() => clearInterval(alive));
    const before = readInputs(run);
    const expected = before && !accepted ? filesFrom(before, since) : undefined;
    if (!expected) return writeInputs(run, recordOf(files, since, before));
    const changed: InputChange[] = changesFrom(expected, files);
    for (const { role, path } of addedFiles(expected)) changed.push({ role, path, before: null, after: '' });
    if (changed.length > 0)
      throw new AuroraError(
        'inputs',
        `${changed.map(changeWords).join('. ')} while the run was starting.`,
        'Wait until no program is writing to them, then resume the run.',
      );
    // The creator of the run may not have known all files that are read.
    const known = new Set(expected.map(({ path }) => path));
    const others = files.filter(({ path }) => !known.has(path));
    if (others.length > 0 && before && before.files === expected)
      writeInputs(run, { ...before, files: [...expected, ...others] });
  }

  private async files(): Promise<InputFile[]> {
    const { files, sets } = await this.hashing!.hashed;
    const hashed = new Map(files.map((h) => [h.path, h]));
    return this.seen.all.map((file) => {
      const { role, path, pattern } = file;
      const named = { role, path, pattern };
      const images = this.imagesOf(named.path, sets);
      const before = this.identities.get(named.path);
      if (!before && !identifyData(named.path)) return { ...named, size: 0, sha256: null, ...images };
      const found = unchanged(named.role, named.path, before, hashed.get(named.path));
      this.hashed.set(named.path, found);
      const { sha256, identity, settled } = found;
      return { ...named, size: identity.size, sha256, ...(settled && { identity }), ...images };
    });
  }

  private imagesOf(path: string, sets: HashedTask['sets']): Pick<InputFile, 'images'> {
    const [images, hashed, before] = [this.sets.get(path), sets.get(path), this.setsBefore.get(path)];
    if (!images || !hashed || !before) return {};
    if (before.inode !== hashed.identity.inode)
      throw new AuroraError(
        'inputs',
        `Images that ${path} names were changed while the run was starting.`,
        'Wait until no program is writing to them, then start the run again.',
      );
    return { images: imageSet(path, images, hashed) };
  }
}

/** A recently written file is looked at until any further change must show. */
async function identifyLater(path: string): Promise<FileIdentity | undefined> {
  let identity = identifyData(path);
  for (let look = 0; identity && look < LOOKS && isFresh(identity); look++) {
    await wait(LOOK_MS);
    identity = identifyData(path);
  }
  return identity;
}

/** The identity of a file that is about to be opened. */
function identifyNow(path: string): FileIdentity | undefined {
  let identity = identifyData(path);
  for (let look = 0; identity && look < LOOKS && isFresh(identity); look++) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_MS);
    identity = identifyData(path);
  }
  return identity;
}

/** If nobody wrote in between, the read bytes are the hashed ones. Our own links change a model's ctime. */
function unchanged(
  role: InputRole,
  path: string,
  before: FileIdentity | undefined,
  hashed: HashedPath | undefined,
): HashedFile {
  if (hashed && 'problem' in hashed && hashed.code !== 'ENOENT')
    throw new AuroraError(
      'inputs',
      `${path} could not be read to record the inputs of the run: ${hashed.problem}.`,
      'Make the file readable, then resume the run.',
    );
  const same = role === 'model' || role === 'model-data' ? sameWriting : sameIdentity;
  if (before && hashed && 'sha256' in hashed && same(before, hashed.identity)) return hashed;
  const [was, is] = [before ? '' : null, hashed && 'sha256' in hashed ? '' : null];
  throw new AuroraError(
    'inputs',
    `${changeWords({ role, path, before: was, after: before ? is : '' })} while the run was starting.`,
    'Wait until no program is writing to the file, then start the run again.',
  );
}

function recordOf(files: InputFile[], since: number, before: InputsRecord | undefined): InputsRecord {
  const record = { version: 1, since, files } as const;
  if (!before) return record;
  const { earlier = [], ...last } = before;
  const all = [...earlier, { since: last.since, files: last.files }].filter((s) => s.since < since);
  return all.length > 0 ? { ...record, earlier: all } : record;
}

/**
 * The differences between recorded files and those that were read.
 *
 * @param expected the record; a file in it that was not read counts as the same, unless it is gone
 */
function changesFrom(expected: readonly InputFile[], read: readonly InputFile[]): InputChange[] {
  const now = new Map(read.map((file) => [file.path, file]));
  return expected.flatMap((file): InputChange[] => {
    const { role, path, sha256: before } = file;
    const found = now.get(path);
    const isThere = found !== undefined || before === null || identifyData(path) !== undefined;
    const after = found ? found.sha256 : isThere ? before : null;
    return [
      ...(after === before ? [] : [{ role, path, before, after }]),
      ...(found && file.images ? changedImagesOf(file, file.images, found.images) : []),
    ];
  });
}

/** The images that data name differ only if the data do, or if an image is another one. */
export function changedImagesOf(
  { role, path }: Pick<InputFile, 'role' | 'path'>,
  before: ImageSet,
  after: ImageSet | undefined,
): InputChange[] {
  if (!after || before.sha256 === after.sha256) return [];
  const sums = new Map(imagesIn(path, after).map((image) => [image.path, image.sum]));
  const images = imagesIn(path, before);
  return imageChanges(
    role,
    images,
    images.map((image) => sums.get(image.path) ?? null),
  );
}
