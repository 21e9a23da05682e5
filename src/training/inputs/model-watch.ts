import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hashFile } from '../../files/hash';
import { identify, sameIdentity, sameWriting, type FileIdentity } from '../../files/identity';
import { AuroraError } from '../../base/errors';
import type { HashedPath, Rehash } from './hashing';
import type { RunInputs } from './run-inputs';

interface Mapped {
  /** The path as the user knows it. */
  path: string;
  /** The name under which the runtime reads it. */
  link: string;
  /** Its identity when its bytes were last known to be the run's. */
  identity: FileIdentity;
  /** True if anything but its bytes has changed since: another run's links, its permissions, or its times. */
  suspect: boolean;
}

/**
 * Detects writes to the model while a run trains on it. If the run's folder links to the user's own file, the runtime
 * may read its bytes at any time; a copy is private to the run.
 */
export class ModelWatch {
  private readonly mapped: Mapped[] = [];
  /** A model whose times did not reveal a write. */
  private hidden: string | undefined;
  /** The last step at which all mapped files were read and verified. */
  private lastRead: number | undefined;

  /**
   * @param folder the folder of the runtime's graphs
   * @param distrust gets the path of a file whose times did not reveal a write
   */
  constructor(
    private readonly inputs: Pick<RunInputs, 'modelFiles' | 'hashed'>,
    private readonly folder: string,
    private readonly rehash: Rehash,
    private readonly distrust: (path: string) => void,
  ) {}

  /**
   * Call before and after a session is opened, which reads the model by its path.
   *
   * @throws AuroraError 'inputs' if the path now leads to another file or other bytes
   */
  opened(step: number): void {
    for (const { path, identity } of this.inputs.modelFiles) {
      const now = identify(path);
      if (!now || !sameWriting(identity, now)) throw changed(path, step);
    }
    const links = linksIn(this.folder);
    for (const { path, identity } of this.inputs.modelFiles) {
      const link = links.find(
        ({ identity: i }) => i.inode === identity.inode && i.device === identity.device,
      );
      if (!link) continue;
      const known = this.mapped.find((m) => m.path === path);
      if (known) known.link = link.path;
      else this.mapped.push({ path, link: link.path, identity: link.identity, suspect: false });
    }
  }

  /**
   * Costs one stat per file. Call before anything of a step is recorded.
   *
   * @throws AuroraError 'inputs' if a file was written to
   */
  check(step: number): void {
    for (const file of this.mapped) {
      const now = look(file.link);
      if (now === 'unknown') file.suspect = true;
      // A run that has lost its folder has other problems.
      if (!now || now === 'unknown' || sameIdentity(file.identity, now)) continue;
      if (!sameWriting(file.identity, now)) throw changed(file.path, step);
      file.suspect = true;
      file.identity = now;
    }
    if (this.hidden !== undefined) throw this.changedUnseen(this.hidden, step);
  }

  /**
   * Checks with certainty: re-reads files that only seem unchanged. Call when the files have been hashed.
   *
   * @throws AuroraError 'inputs' as `check`
   */
  async verify(step: number): Promise<void> {
    this.check(step);
    for (const file of this.mapped) {
      if (!file.suspect) continue;
      const { sha256 } = await hashFile(file.link);
      if (sha256 !== this.inputs.hashed.get(file.path)?.sha256) throw changed(file.path, step);
      file.suspect = false;
      this.check(step);
    }
  }

  /**
   * Checks at an evaluation. A write through a shared memory mapping may not update the time, so from time to time the
   * mapped files are re-read on another thread; the next check reports the result.
   *
   * @throws AuroraError 'inputs' as `check`
   */
  evaluated(step: number): void {
    this.check(step);
    this.rehash.begin(
      this.mapped.map(({ link, identity: { size } }) => ({ path: link, size })),
      (hashed) => this.compare(hashed, step),
    );
  }

  /**
   * Reads all mapped files at the end of a run. Call when the files have been hashed.
   *
   * @throws AuroraError 'inputs' if they differ from those at the start of the run, or cannot be read
   */
  async verifyContent(step: number): Promise<void> {
    for (const { path, link } of this.mapped) {
      const hashed = await hashFile(link, { again: true }).catch((e: Error) => {
        throw unreadable(path, e);
      });
      this.compare([{ path: link, ...hashed }], step);
    }
    this.check(step);
  }

  cancel(): void {
    this.rehash.cancel();
  }

  /** A file that could not be read is read again later. */
  private compare(hashed: readonly HashedPath[], step: number): void {
    let same = 0;
    for (const file of hashed) {
      const path = this.mapped.find(({ link }) => link === file.path)?.path;
      const expected = path === undefined ? undefined : this.inputs.hashed.get(path)?.sha256;
      if (path === undefined || expected === undefined || !('sha256' in file)) continue;
      if (file.sha256 === expected) same++;
      else {
        this.hidden = path;
        // The recorded hash no longer describes the file.
        this.inputs.hashed.delete(path);
        this.distrust(path);
      }
    }
    if (same === this.mapped.length) this.lastRead = step;
  }

  private changedUnseen(path: string, step: number): AuroraError {
    const known = this.lastRead;
    return new AuroraError(
      'inputs',
      `The model ${path} was changed while the run was training, and its timestamps do not show when. The change was found after step ${step}.`,
      known === undefined
        ? 'Put the file back as it was and start a new run: what this run has saved may come from other weights.'
        : `Up to step ${known}, the model was unchanged; what was saved later may come from other weights. Put the file back as it was, then fork the run at a checkpoint up to that step (--fork RUN --at STEP) or start a new run.`,
    );
  }
}

/** A disk that fails once must not end the run: `unknown`, and missed files are hashed later. */
function look(path: string): FileIdentity | 'unknown' | undefined {
  try {
    return identify(path);
  } catch {
    return 'unknown';
  }
}

function linksIn(folder: string): { path: string; identity: FileIdentity }[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    const identity = entry.isFile() ? identify(path) : undefined;
    return identity ? [{ path, identity }] : [];
  });
}

const changed = (path: string, step: number): AuroraError =>
  new AuroraError(
    'inputs',
    `The model ${path} was changed while the run was training: step ${step} was not computed with the weights that the run started with.`,
    'Put the file back as it was and resume from the last checkpoint, or start a new run. Nothing from that step was saved.',
  );

const unreadable = (path: string, cause: Error): AuroraError =>
  new AuroraError(
    'inputs',
    `The model ${path} could not be read to check that it did not change during training: ${cause.message}.`,
    'The last checkpoint is saved. Make the file readable, then resume the run.',
    { cause },
  );
