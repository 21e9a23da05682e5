import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { replaceFile, writeAll } from '../../files/atomic';
import { cacheFolder } from '../../files/cache-folder';
import { removeAbandoned } from '../../files/temporary';
import {
  bytesOfColumn,
  COLUMN_NAMES,
  makeColumn,
  ofColumns,
  type IndexColumns,
  type RowIndex,
} from './row-index';

/** Increased whenever an older program would read, or have made, something else. */
export const INDEX_VERSION = 3;
/** The name of an index, and of a copy of the rows. */
const NAME = /^([\w-]+)\.(?:rows|jsonl)$/;
/** The most files that are kept: beyond it, unused files are removed, the longest unused first. */
const MOST_FILES = 32;
const MOST_BYTES = 2 ** 32;
/** A file that was used in this time may be in use: copies of images can be larger than that. */
const RECENT_MS = 3_600_000;

type Header = Omit<RowIndex, 'columns'> & { version: number; lengths: number[] };

/** The SHA-256 of the rest, as hexadecimal digits, and the length of the header in as many decimal ones. */
const SUM_BYTES = 64;
const LENGTH_BYTES = 16;

/**
 * The indices of large data files, one file each, in the user's cache folder. A file that is damaged, unfinished or of
 * another version counts as missing; one that cannot be written only costs time.
 */
export class IndexCache {
  constructor(private readonly folder = join(cacheFolder(), 'rows')) {}

  private path(key: string): string {
    return join(this.folder, `${key}.rows`);
  }

  /**
   * The path of a copy of the rows, if they cannot be read from the file itself: JSON lines, and images between them.
   */
  copyOf(key: string): string {
    return join(this.folder, `${key}.jsonl`);
  }

  /**
   * @param key of the content that the index was made of
   * @param copied true if it needs a copy of the rows too
   */
  read(key: string, copied = false): RowIndex | undefined {
    const path = this.path(key);
    try {
      if (copied && !existsSync(this.copyOf(key))) return undefined;
      const file = openSync(path, 'r');
      try {
        const index = decode(file);
        if (index) utimesSync(path, new Date(), new Date());
        return index;
      } finally {
        closeSync(file);
      }
    } catch {
      return undefined;
    }
  }

  write(key: string, index: RowIndex): void {
    const path = this.path(key);
    try {
      replaceFile(path, (file) => encode(index, (bytes) => writeAll(file, bytes)));
      removeAbandoned(dirname(path));
      this.tidy();
    } catch {
      // The cache only saves time.
    }
  }

  private tidy(): void {
    const names = readdirSync(this.folder).flatMap((name) => NAME.exec(name)?.[1] ?? []);
    const found = [...new Set(names)].map((key) => {
      const stats = [this.path(key), this.copyOf(key)].flatMap(
        (path) => statSync(path, { throwIfNoEntry: false }) ?? [],
      );
      const sum = stats.reduce((n, { size }) => n + size, 0);
      return { key, bytes: sum, used: Math.max(...stats.map((s) => s.mtimeMs)) };
    });
    let all = 0;
    found
      .sort((a, b) => b.used - a.used)
      .forEach(({ key, bytes, used }, i) => {
        all += bytes;
        if (i === 0 || Date.now() - used < RECENT_MS || (i < MOST_FILES && all <= MOST_BYTES)) return;
        for (const path of [this.path(key), this.copyOf(key)]) rmSync(path, { force: true });
      });
  }
}

function encode({ columns, ...rest }: RowIndex, write: (bytes: Uint8Array) => void): void {
  const lengths = COLUMN_NAMES.map((name) => columns[name].length);
  const header = Buffer.from(JSON.stringify({ ...rest, version: INDEX_VERSION, lengths } satisfies Header));
  const length = Buffer.from(String(header.length).padStart(LENGTH_BYTES, '0'));
  const parts = [length, header, ...COLUMN_NAMES.map((name) => bytesOfColumn(columns[name]))];
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  write(Buffer.from(hash.digest('hex')));
  for (const part of parts) write(part);
}

/** Undefined if it is not whole. */
function decode(file: number): RowIndex | undefined {
  const hash = createHash('sha256');
  let at = 0;
  const read = (bytes: Uint8Array) => {
    for (let done = 0; done < bytes.length;) {
      const got = readSync(file, bytes, done, Math.min(bytes.length - done, 1 << 30), at + done);
      if (got === 0) throw new Error('It is cut off');
      done += got;
    }
    at += bytes.length;
    return bytes;
  };
  const { size } = fstatSync(file);
  const sum = Buffer.from(read(Buffer.alloc(SUM_BYTES))).toString();
  const own = <T extends Uint8Array>(bytes: T): T => {
    hash.update(read(bytes));
    return bytes;
  };
  const length = Number(own(Buffer.alloc(LENGTH_BYTES)).toString());
  if (!(length <= size)) return undefined;
  const header = JSON.parse(own(Buffer.alloc(length)).toString()) as Header;
  const { version, lengths, ...rest } = header;
  if (version !== INDEX_VERSION) return undefined;
  const columns = ofColumns((name) => {
    const count = lengths[COLUMN_NAMES.indexOf(name)];
    if (!(count <= size)) throw new Error('It is damaged');
    const column = makeColumn(name, count);
    own(bytesOfColumn(column));
    return column;
  }) as unknown as IndexColumns;
  if (at !== size || hash.digest('hex') !== sum) return undefined;
  return { ...rest, columns };
}
