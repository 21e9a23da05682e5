import { createHash } from 'node:crypto';

/** A file of a repository on the test server. */
export interface StoredFile {
  path: string;
  bytes: Buffer;
  gitSha1: string;
  /** In Git LFS: the hub keeps a pointer in git, and the bytes elsewhere. */
  sha256?: string;
  /** In Xet's storage too. */
  xet?: string;
}

/** A repository on the test server, at one commit. */
export interface Repository {
  kind: 'model' | 'dataset';
  id: string;
  commit: string;
  /** Branches and tags that name the commit. */
  refs: string[];
  files: StoredFile[];
  private?: boolean;
  /** As the hub states it; nobody has access without the token. */
  gated?: false | 'auto' | 'manual';
  tags?: string[];
  task?: string;
}

/** The SHA-1 that git names a blob by. */
export const gitBlob = (bytes: Uint8Array): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export function smallFile(path: string, content: string | Buffer): StoredFile {
  const bytes = Buffer.from(content);
  return { path, bytes, gitSha1: gitBlob(bytes) };
}

/** A file in Git LFS, and in Xet's storage if wanted. The pointer's form is that of the Git LFS specification. */
export function largeFile(path: string, bytes: Buffer, { xet = false } = {}): StoredFile {
  const oid = sha256(bytes);
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${bytes.length}\n`;
  // Xet's own hash is another function of the bytes; clients only pass it on.
  const own = xet && { xet: sha256(Buffer.from(`xet ${oid}`)) };
  return { path, bytes, gitSha1: gitBlob(Buffer.from(pointer)), sha256: oid, ...own };
}

/** Bytes that differ everywhere, so that a block in the wrong place is noticed. */
export function someBytes(size: number, seed: number): Buffer {
  const words = new Uint32Array(Math.ceil(size / 4));
  // xorshift32: fast, and nothing depends on its quality.
  let x = (seed * 2654435761 + 1) >>> 0 || 1;
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13;
    x >>>= 0;
    x ^= x >>> 17;
    x ^= x << 5;
    x >>>= 0;
    words[i] = x;
  }
  return Buffer.from(words.buffer, 0, size);
}

/** A commit's name, made of a text. */
export const commitOf = (text: string): string => createHash('sha1').update(text).digest('hex');
