import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { Row } from './table/rows';
import type { ImageRow } from './table/image-rows';

/**
 * A key for each image that others have only if they are the same files, byte for byte. Only images of the same size
 * are read: most differ in it.
 */
export function imageKeys(rows: readonly ImageRow[]): (row: Row) => string {
  const sizes = new Map(rows.map((row) => [row as Row, sizeOf(row)]));
  const seen = new Map<number | undefined, number>();
  for (const size of sizes.values()) seen.set(size, (seen.get(size) ?? 0) + 1);
  const keys = new Map<Row, string>();
  for (const row of rows) {
    const size = sizes.get(row);
    const shared = size !== undefined && seen.get(size)! > 1;
    keys.set(row, (shared ? contentKey(row) : undefined) ?? `${size} ${nameOf(row)}`);
  }
  return (row) => keys.get(row)!;
}

const nameOf = ({ image, text }: ImageRow): string => ('path' in image ? image.path : text);

/** In bytes; undefined for an image that cannot be read, which is reported elsewhere. */
function sizeOf({ image }: ImageRow): number | undefined {
  if ('bytes' in image) return image.bytes.length;
  return 'path' in image ? statSync(image.path, { throwIfNoEntry: false })?.size : undefined;
}

function contentKey({ image }: ImageRow): string | undefined {
  try {
    const bytes = 'bytes' in image ? image.bytes : 'path' in image ? readFileSync(image.path) : undefined;
    return bytes && createHash('sha256').update(bytes).digest('base64');
  } catch {
    return undefined;
  }
}
