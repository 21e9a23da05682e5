import { createHash, hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { version } from '../../../package.json';
import { replaceFile, writeAll } from '../../files/atomic';
import { cacheFolder } from '../../files/cache-folder';
import { removeAbandoned } from '../../files/temporary';
import { tokenizerSum } from './tokenizer-files';

/** Increased whenever the same files would give other tokens, or an older program would have written something else. */
const VERSION = 3;
const NAME = /^[0-9a-f]{64}\.tokens$/;
/** The most bytes of one tokenizer's texts; those of the last run come first. A run with more keeps none. */
const MOST_BYTES = 2 ** 26;
/** Tokenizers; the longest unused are removed first. */
const MOST_FILES = 8;
/** Fewer new characters than these are encoded in the time that writing takes. */
const WORTH_WRITING = 2 ** 17;

const SUM_BYTES = 32;
const KEY_BYTES = 16;
/** In a record's count: segments follow the ids. */
const HAS_SEGMENTS = 2 ** 31;

/** The tokens of an encoded text. */
export interface Encoded {
  ids: number[];
  /** The segments, in the length of `ids`, if the tokenizer gives any. */
  token_type_ids?: number[];
}

/**
 * The tokens of texts that earlier runs encoded with the same tokenizer files: in the user's cache folder, a file for each
 * tokenizer. A file that is damaged or of another version counts as missing; one that cannot be written only costs time.
 */
export class TokenCache {
  private path = '';
  /** Records by key, as in the file. */
  private known: ReadonlyMap<string, Buffer> | undefined;
  private used: Map<string, Buffer> | undefined = new Map();
  private bytes = 0;
  private newCharacters = 0;

  constructor(
    private readonly tokenizer: string,
    private readonly folder = join(cacheFolder(), 'tokens'),
  ) {}

  /** `special`: with special tokens around it. `encode` is called for unknown texts. */
  encoded(text: string, special: boolean, encode: () => Encoded): Encoded {
    if (!this.used) return encode();
    const key = keyOf(text, special);
    this.known ??= this.open();
    const there = this.used.get(key) ?? this.known.get(key);
    const fresh = there ? undefined : encode();
    const record = there ?? pack(key, fresh!);
    if (fresh) this.newCharacters += text.length;
    if (!this.used.has(key)) {
      this.used.set(key, record);
      this.bytes += record.length;
    }
    // A part of more texts would gain little; large files have an index instead.
    if (this.bytes > MOST_BYTES) this.used = this.known = undefined;
    return fresh ?? unpack(record);
  }

  private open(): ReadonlyMap<string, Buffer> {
    const parts = JSON.stringify([VERSION, version, tokenizerSum(this.tokenizer)]);
    this.path = join(this.folder, `${createHash('sha256').update(parts).digest('hex')}.tokens`);
    return read(this.path);
  }

  /** Writes the new entries, for the next run. From then on, nothing is kept. */
  keep(): void {
    const { used, known } = this;
    this.used = this.known = undefined;
    if (!used || !known) return;
    try {
      if (this.newCharacters >= WORTH_WRITING) this.write(used, known);
      else if (existsSync(this.path)) utimesSync(this.path, new Date(), new Date());
    } catch {
      // The cache only saves time.
    }
  }

  private write(used: ReadonlyMap<string, Buffer>, known: ReadonlyMap<string, Buffer>): void {
    const records = [...used.values()];
    let left = MOST_BYTES - this.bytes;
    for (const [key, record] of known)
      if (!used.has(key) && (left -= record.length) >= 0) records.push(record);
    const content = Buffer.concat(records);
    replaceFile(this.path, (file) => {
      writeAll(file, createHash('sha256').update(content).digest());
      writeAll(file, content);
    });
    removeAbandoned(this.folder);
    this.tidy();
  }

  private tidy(): void {
    const found = readdirSync(this.folder)
      .filter((name) => NAME.test(name))
      .map((name) => join(this.folder, name))
      .map((path) => ({ path, used: statSync(path).mtimeMs }))
      .sort((a, b) => b.used - a.used);
    for (const { path } of found.slice(MOST_FILES)) rmSync(path, { force: true });
  }
}

const keyOf = (text: string, special: boolean): string =>
  hash('sha256', `${special ? 'special' : 'bare'} ${text}`, 'buffer').toString('latin1', 0, KEY_BYTES);

/** A record: key, number of tokens, ids and, where there are any, segments; numbers of 32 bits, little-endian. */
function pack(key: string, { ids, token_type_ids: segments }: Encoded): Buffer {
  const numbers = segments ? [...ids, ...segments] : ids;
  const record = Buffer.alloc(KEY_BYTES + 4 + 4 * numbers.length);
  record.write(key, 'latin1');
  record.writeUInt32LE(ids.length + (segments ? HAS_SEGMENTS : 0), KEY_BYTES);
  numbers.forEach((n, i) => record.writeUInt32LE(n, KEY_BYTES + 4 + 4 * i));
  return record;
}

function unpack(record: Buffer): Encoded {
  const { count, segments } = countOf(record, 0);
  const numbers = (from: number) => {
    const found = new Array<number>(count);
    for (let i = 0; i < count; i++) found[i] = record.readUInt32LE(KEY_BYTES + 4 + 4 * (from + i));
    return found;
  };
  return { ids: numbers(0), ...(segments && { token_type_ids: numbers(count) }) };
}

function countOf(bytes: Buffer, at: number): { count: number; segments: boolean } {
  const count = bytes.readUInt32LE(at + KEY_BYTES);
  return { count: count % HAS_SEGMENTS, segments: count >= HAS_SEGMENTS };
}

function read(path: string): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  try {
    const file = readFileSync(path);
    const content = file.subarray(SUM_BYTES);
    if (!createHash('sha256').update(content).digest().equals(file.subarray(0, SUM_BYTES))) return found;
    for (let at = 0; at < content.length;) {
      const { count, segments } = countOf(content, at);
      const end = at + KEY_BYTES + 4 + 4 * count * (segments ? 2 : 1);
      found.set(content.toString('latin1', at, at + KEY_BYTES), content.subarray(at, end));
      at = end;
    }
  } catch {
    // It does not exist yet, or cannot be read.
  }
  return found;
}
