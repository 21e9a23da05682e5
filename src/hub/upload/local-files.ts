import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow } from '../../files/tree';
import type { UploadChange } from '../../protocol/hub/publish';
import type { RepoFile } from '../types';

/** A file to upload, with both hashes by which the hub may know it. */
export interface LocalFile {
  /** In the repository, with forward slashes. */
  path: string;
  /** On this machine. */
  at: string;
  size: number;
  sha256: string;
  /** The git blob's. */
  gitSha1: string;
}

/** Every file in a folder. */
export const localFiles = (folder: string): Promise<LocalFile[]> =>
  Promise.all(filesBelow(folder).map((path) => hashed(path, join(folder, path))));

async function hashed(path: string, at: string): Promise<LocalFile> {
  const { size } = statSync(at);
  const sha256 = createHash('sha256');
  const gitSha1 = createHash('sha1').update(`blob ${size}\0`);
  for await (const bytes of createReadStream(at) as AsyncIterable<Buffer>) {
    sha256.update(bytes);
    gitSha1.update(bytes);
  }
  return { path, at, size, sha256: sha256.digest('hex'), gitSha1: gitSha1.digest('hex') };
}

/** Compares hashes. Git knows only the pointer of a large file. */
const isSame = (local: LocalFile, there: RepoFile): boolean =>
  there.sha256 === undefined ? there.gitSha1 === local.gitSha1 : there.sha256 === local.sha256;

/** The effect of an upload on a file of the repository. */
export function changeOf(local: LocalFile, there: readonly RepoFile[]): UploadChange {
  const found = there.find(({ path }) => path === local.path);
  return found === undefined ? 'new' : isSame(local, found) ? 'unchanged' : 'replaced';
}
