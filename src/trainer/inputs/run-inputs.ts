import { setTimeout as wait } from 'node:timers/promises';
import type { HashedFile } from '../../files/hash';
import { isFresh, sameIdentity, sameWriting, type FileIdentity } from '../../files/identity';
import { identifyData } from '../../files/identify-data';
import type { Model } from '../../graph/model';
import {
  addedFiles,
  filesFrom,
  readInputs,
  writeInputs,
  type InputFile,
  type InputsRecord,
} from '../../runs/inputs';
import { AuroraError } from '../../base/errors';
import type { Experiment } from '../../experiment/experiment';
import type { InputChange } from '../../protocol/events';
import { changeWords } from '../../protocol/inputs-words';
import { inputPaths, modelDataPaths, type InputPath } from './files';
import { hashInBackground, type HashedPath, type Hashing } from './hashing';

/** Interval between checks of a recently changed file, and their number. */
const LOOK_MS = 60;
const LOOKS = 5;

/** What a run reads: identified before it is read, hashed during training, and recorded before its first checkpoint. */
export class RunInputs {
  private readonly known = new Map<string, InputPath & { identity: FileIdentity | undefined }>();
  /** Files hashed so far, by path. */
  readonly hashed = new Map<string, HashedFile>();
  private hashing: Hashing | undefined;
  private written: Promise<void> | undefined;

  private constructor(private readonly spec: Experiment) {}

  /** Call before any of the files is read. */
  static async begin(spec: Experiment): Promise<RunInputs> {
    const inputs = new RunInputs(spec);
    for (const file of inputPaths(spec)) await inputs.identify(file);
    return inputs;
  }

  /** Call when the model's structure has been read, before its weights are. */
  async addModelData(model: Model): Promise<void> {
    for (const file of modelDataPaths(this.spec, model)) await this.identify(file);
  }

  /** The model file and its data files, as they were when the run started. */
  get modelFiles(): { path: string; identity: FileIdentity }[] {
    return [...this.known.values()].flatMap(({ role, path, identity }) =>
      (role === 'model' || role === 'model-data') && identity ? [{ path, identity }] : [],
    );
  }

  /** @param worker the built hash-worker */
  hash(worker: string): void {
    const paths = [...this.known.values()].filter((f) => f.identity).map((f) => f.path);
    this.hashing = hashInBackground({ paths, again: false }, worker);
  }

  /**
   * Writes inputs.json, or compares with the existing one.
   *
   * @param since the step that the run started at, or continued at with changed files
   * @param accepted whether the user has accepted changed files
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
    const changed = expected.flatMap((file): InputChange[] => {
      const after = files.find(({ path }) => path === file.path)?.sha256 ?? null;
      return after === file.sha256 ? [] : [{ role: file.role, path: file.path, before: file.sha256, after }];
    });
    for (const { role, path } of addedFiles(expected)) changed.push({ role, path, before: null, after: '' });
    if (changed.length > 0)
      throw new AuroraError(
        'inputs',
        `${changed.map(changeWords).join('. ')} while the run was starting.`,
        'Wait until no program is writing to them, then resume the run.',
      );
  }

  private async files(): Promise<InputFile[]> {
    const hashed = new Map((await this.hashing!.hashed).map((h) => [h.path, h]));
    return [...this.known.values()].map(({ role, path, pattern, identity: before }) => {
      const named = { role, path, ...(pattern !== undefined && { pattern }) };
      if (!before && !identifyData(path)) return { ...named, size: 0, sha256: null };
      const file = unchanged(role, path, before, hashed.get(path));
      this.hashed.set(path, file);
      const { sha256, identity, settled } = file;
      return { ...named, size: identity.size, sha256, ...(settled && { identity }) };
    });
  }

  /** A recently written file is checked until any further change must show. */
  private async identify(file: InputPath): Promise<void> {
    let identity = identifyData(file.path);
    for (let look = 0; identity && look < LOOKS && isFresh(identity); look++) {
      await wait(LOOK_MS);
      identity = identifyData(file.path);
    }
    this.known.set(file.path, { ...file, identity });
  }
}

/** If nobody wrote in between, what was read is what was hashed. Our own links change a model's ctime. */
function unchanged(
  role: InputFile['role'],
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
