import { fstatSync, openSync } from 'node:fs';
import { identityOf, sameIdentity, type FileIdentity } from '../../files/identity';
import { unreadable } from '../../table/files';
import { readAt } from '../copies/read-at';

/** A file, and where its first byte is counted from. */
interface Source {
  path: string;
  start: number;
}

/**
 * The bytes of one file, or of several as if they were one. All stay open, so that another file under one of their names
 * changes nothing.
 */
export class RowBytes {
  private readonly files: readonly (Source & { file: number })[];

  /** @throws AuroraError 'data' if one cannot be read */
  constructor(sources: readonly Source[]) {
    this.files = sources.map((source) => {
      try {
        return { ...source, file: openSync(source.path, 'r') };
      } catch (cause) {
        throw unreadable(source.path, cause);
      }
    });
  }

  /** The only file, where there is one. */
  get first(): { path: string; file: number; process: number } {
    const { path, file } = this.files[0]!;
    return { path, file, process: process.pid };
  }

  /** The first file that is another one by now. @param identities of all, in their order */
  changed(identities: readonly FileIdentity[]): string | undefined {
    const isOther = ({ file }: { file: number }, i: number) =>
      !sameIdentity(identities[i]!, identityOf(fstatSync(file, { bigint: true })));
    return this.files.find(isOther)?.path;
  }

  /** The existing part of these bytes. @throws AuroraError 'data' if they cannot be read */
  read(start: number, length: number): Buffer {
    const { path, file, start: first } = this.files.findLast((f) => f.start <= start)!;
    return readAt(path, file, start - first, length);
  }
}
