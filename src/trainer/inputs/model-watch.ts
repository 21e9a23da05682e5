import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hashFile } from '../../files/hash';
import { identify, sameIdentity, sameWriting, type FileIdentity } from '../../files/identity';
import { AuroraError } from '../../shared/errors';
import type { RunInputs } from './run-inputs';

interface Mapped {
  /** As the person knows it. */
  path: string;
  /** The name that the runtime reads it under. */
  link: string;
  /** When its bytes were last known to be the run's. */
  identity: FileIdentity;
  /** Whether something other than its bytes changed since: another run's links, its rights, or its times. */
  suspect: boolean;
}

/**
 * Sees whether somebody writes into the model while a run trains on it. Where the run's folder has a link to the
 * person's own file, the runtime reads its bytes at any time; a copy is nobody else's.
 */
export class ModelWatch {
  private readonly mapped: Mapped[] = [];

  /** @param folder where the runtime's graphs are */
  constructor(
    private readonly inputs: Pick<RunInputs, 'modelFiles' | 'hashed'>,
    private readonly folder: string,
  ) {}

  /**
   * Call before and after a session is opened, which reads the model by its path.
   *
   * @throws AuroraError 'inputs' where that leads to another file now, or to other bytes
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
   * Costs a look at each file. Call before anything of a step is recorded.
   *
   * @throws AuroraError 'inputs' where one was written into
   */
  check(step: number): void {
    for (const file of this.mapped) {
      const now = look(file.link);
      if (now === 'unknown') file.suspect = true;
      // A run that has lost its folder has other troubles.
      if (!now || now === 'unknown' || sameIdentity(file.identity, now)) continue;
      if (!sameWriting(file.identity, now)) throw changed(file.path, step);
      file.suspect = true;
      file.identity = now;
    }
  }

  /**
   * The same for whatever must be certain: reads again what only seems unchanged. Call when the files have been hashed.
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
}

/** A disk that does not answer once must not end the run: `unknown`, and what was not seen is hashed later. */
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
    `The model ${path} was changed while the run was training: step ${step} was not computed with the weights that the run began with.`,
    'Nothing was saved of that step. Put the file back as it was and resume from the last checkpoint, or start a new run.',
  );
