import { join } from 'node:path';
import type { AuroraError } from '../../base/errors';
import { writeAtomic } from '../../files/atomic';
import { readJsonIfThere } from '../../files/json';
import type { ClaimLine, FrozenClaim } from '../../study/claim/certificate';
import { type ClaimProgress, parseProgress } from '../../study/claim/claim-files';

const progressFile = (folder: string): string => join(folder, 'progress.json');

/**
 * Keeps the results of an open claim in its folder, where the editor shows them, also of a claim that was started in a
 * terminal. Nothing is computed from it: whatever continues the claim finds the same results again.
 */
export class ProgressFile {
  private constructor(
    private readonly folder: string,
    private now: ClaimProgress,
  ) {}

  /** Begins again, with the cost that was announced before the first trial. */
  static open(
    folder: string,
    frozen: FrozenClaim,
    begun: Pick<ClaimProgress, 'sentence' | 'labels'>,
  ): ProgressFile {
    const cost = costBefore(folder, frozen);
    const file = new ProgressFile(folder, {
      version: 1,
      ...begun,
      ...(cost && { cost }),
      searched: [],
      looks: [],
    });
    file.write();
    return file;
  }

  /** Adds a line of the claim's output, if it is a result. */
  add(line: ClaimLine): void {
    const { now } = this;
    if (line.kind === 'cost') {
      const { runs, least, most } = line;
      this.now = { ...now, cost: { runs, least, most } };
    } else if (line.kind === 'searched') {
      const { label, tried, chosen } = line;
      this.now = { ...now, searched: [...now.searched, { label, tried, chosen }] };
    } else if (line.kind === 'look' && line.look.verdict === 'open')
      this.now = { ...now, looks: [...now.looks, line.look] };
    else return;
    this.write();
  }

  fail({ message, hint }: AuroraError): void {
    this.now = { ...this.now, error: { message, ...(hint !== undefined && { hint }) } };
    this.write();
  }

  private write(): void {
    writeAtomic(progressFile(this.folder), `${JSON.stringify(this.now, null, 2)}\n`);
  }
}

/** Undefined also for a damaged file, which is replaced. */
function costBefore(folder: string, frozen: FrozenClaim): ClaimProgress['cost'] {
  try {
    return parseProgress(readJsonIfThere(progressFile(folder)), frozen)?.cost;
  } catch {
    return undefined;
  }
}
