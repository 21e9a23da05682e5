import { dirname, relative, resolve, sep } from 'node:path';
import { hashSet, identifySet, type HashedSet } from '../files/inputs/file-set';
import { sameIdentity } from '../files/identity';
import { isFolder } from '../files/tree';
import type { InputChange, InputRole } from '../protocol/events';
import type { ImageSet } from './input-file';

/** Changed images that are listed; the rest are counted. */
const LISTED = 5;
/** The mark in place of a SHA-256. */
const MISSING = '-';

/** @param paths absolute, in the order in which `hashed` has them */
export function imageSet(data: string, paths: readonly string[], hashed: HashedSet): ImageSet {
  const folder = isFolder(data) ? data : dirname(data);
  const { size, sha256, sums, identity, settled } = hashed;
  const nameOf = (path: string) => relative(folder, path).split(sep).join('/');
  return {
    ...{ size, sha256, ...(settled && { identity }) },
    files: paths.map((path, i) => `${sums[i] ?? MISSING} ${nameOf(path)}`),
  };
}

/** The images as they are now. */
export const hashImages = (data: string, paths: readonly string[]): ImageSet =>
  imageSet(data, paths, hashSet(paths));

/**
 * The images that differ on disk from their recorded state.
 *
 * @param largest bytes above which images of the same size count as unchanged, for those that cannot read so many
 */
export function changedImages(
  { role, path: data }: { role: InputRole; path: string },
  set: ImageSet,
  largest = Infinity,
): InputChange[] {
  const { size, sha256, identity } = set;
  const images = imagesIn(data, set);
  const paths = images.map(({ path }) => path);
  const now = identifySet(paths);
  if (identity && sameIdentity(identity, now)) return [];
  if (now.size > largest && now.size === size) return [];
  const hashed = hashSet(paths);
  if (hashed.sha256 === sha256) return [];
  return imageChanges(role, images, hashed.sums);
}

/** The images of a record, by their absolute paths. */
export function imagesIn(data: string, { files }: ImageSet): { path: string; sum: string | null }[] {
  const folder = isFolder(data) ? data : dirname(data);
  return files.map((file) => {
    const end = file.indexOf(' ');
    const sum = file.slice(0, end);
    return { path: resolve(folder, file.slice(end + 1)), sum: sum === MISSING ? null : sum };
  });
}

/** @param sums as they are now, in the same order */
export function imageChanges(
  role: InputRole,
  images: readonly { path: string; sum: string | null }[],
  sums: readonly (string | null)[],
): InputChange[] {
  const changes = images.flatMap(({ path, sum: before }, i): InputChange[] => {
    const after = sums[i]!;
    return before === after ? [] : [{ role, path, image: true, before, after }];
  });
  const more = changes.length - LISTED;
  return changes
    .slice(0, LISTED)
    .map((change, i) => (i === LISTED - 1 && more > 0 ? { ...change, more } : change));
}
