import { createHash } from 'node:crypto';
import { readInput, statInput } from '../files/inputs/open';
import { KeyCache } from '../files/inputs/key-cache';
import { useOf, type FileImage } from './images/source';
import type { List } from './list';
import type { Row } from './table/rows';
import type { ImageRow } from './table/image-rows';

/**
 * A key for each image that others have only if they are the same files, byte for byte. Only images of the same size
 * are read: most differ in it.
 *
 * @param lists all rows that are compared with each other; those on disk have the keys of their index
 */
export function imageKeys(lists: readonly List<ImageRow>[], cache = new KeyCache()): (row: Row) => string {
  const isOnDisk = (list: List<ImageRow>) => !Array.isArray(list);
  // The sizes of those on disk are not known.
  const all = lists.some(isOnDisk);
  const rows = lists.filter((list) => !isOnDisk(list)).flatMap((list) => [...list]);
  const sizes = all ? [] : rows.map(sizeOf);
  const seen = new Map<number | undefined, number>();
  for (const size of sizes) seen.set(size, (seen.get(size) ?? 0) + 1);
  const isRead = (i: number) => all || (sizes[i] !== undefined && seen.get(sizes[i])! > 1);
  const read = rows.filter((_, i) => isRead(i));
  const files = read.flatMap(({ image }) => ('path' in image ? [image] : []));
  const fileKeys = cache.keysOf(
    files.map(({ path }) => path),
    (_, i) => fileKey(files[i]!),
  );
  let next = 0;
  const keys = new Map<Row, string>();
  rows.forEach((row, i) => {
    const own = 'path' in row.image ? () => fileKeys[next++] : () => contentKey(row);
    const key = isRead(i) ? own() : undefined;
    keys.set(row, key ?? (all ? nameOf(row) : `${sizes[i]} ${nameOf(row)}`));
  });
  return (row) => keys.get(row)!;
}

/** The key of one image, which is read: for images that are compared with others on disk. */
export const imageKey = (row: ImageRow): string => contentKey(row) ?? nameOf(row);

const nameOf = ({ image, text }: ImageRow): string => ('path' in image ? image.path : text);

/** In bytes; undefined for an image that cannot be read, which is reported elsewhere. */
function sizeOf({ image }: ImageRow): number | undefined {
  if ('bytes' in image) return image.bytes.length;
  return 'path' in image ? statInput(image.path, useOf(image))?.size : undefined;
}

function contentKey({ image }: ImageRow): string | undefined {
  if ('bytes' in image) return keyOf(image.bytes);
  return 'path' in image ? fileKey(image) : undefined;
}

function fileKey(image: FileImage): string | undefined {
  try {
    return keyOf(readInput(image.path, useOf(image)));
  } catch {
    return undefined;
  }
}

const keyOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
