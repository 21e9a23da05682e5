import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { ImageKeyCache } from './image-key-cache';
import type { List } from './list';
import type { Row } from './table/rows';
import type { ImageRow } from './table/image-rows';

/**
 * A key for each image that others have only if they are the same files, byte for byte. Only images of the same size
 * are read: most differ in it.
 *
 * @param lists all rows that are compared with each other; those on disk have the keys of their index
 */
export function imageKeys(
  lists: readonly List<ImageRow>[],
  cache = new ImageKeyCache(),
): (row: Row) => string {
  const isOnDisk = (list: List<ImageRow>) => !Array.isArray(list);
  // The sizes of those on disk are not known.
  const all = lists.some(isOnDisk);
  const rows = lists.filter((list) => !isOnDisk(list)).flatMap((list) => [...list]);
  const sizes = all ? [] : rows.map(sizeOf);
  const seen = new Map<number | undefined, number>();
  for (const size of sizes) seen.set(size, (seen.get(size) ?? 0) + 1);
  const isRead = (i: number) => all || (sizes[i] !== undefined && seen.get(sizes[i])! > 1);
  const read = rows.filter((_, i) => isRead(i));
  const files = read.flatMap(({ image }) => ('path' in image ? [image.path] : []));
  const fileKeys = cache.keysOf(files, fileKey);
  let next = 0;
  const keys = new Map<Row, string>();
  rows.forEach((row, i) => {
    const own = 'path' in row.image ? () => fileKeys[next++] : () => contentKey(row);
    const key = isRead(i) ? own() : undefined;
    keys.set(row, key ?? (all ? nameOf(row) : `${sizes[i]} ${nameOf(row)}`));
  });
  return (row) => keys.get(row)!;
}

/** The same of one image, which is read: for those that are compared with others on disk. */
export const imageKey = (row: ImageRow): string => contentKey(row) ?? nameOf(row);

const nameOf = ({ image, text }: ImageRow): string => ('path' in image ? image.path : text);

/** In bytes; undefined for an image that cannot be read, which is reported elsewhere. */
function sizeOf({ image }: ImageRow): number | undefined {
  if ('bytes' in image) return image.bytes.length;
  return 'path' in image ? statSync(image.path, { throwIfNoEntry: false })?.size : undefined;
}

function contentKey({ image }: ImageRow): string | undefined {
  if ('bytes' in image) return keyOf(image.bytes);
  return 'path' in image ? fileKey(image.path) : undefined;
}

function fileKey(path: string): string | undefined {
  try {
    return keyOf(readFileSync(path));
  } catch {
    return undefined;
  }
}

const keyOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64');
