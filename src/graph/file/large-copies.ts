import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { AuroraError } from '../../base/errors';
import { bytes } from '../../base/number-text';

/** Files from this size on, in bytes, are copied only after a message. */
const LARGE = 1e9;

type Listener = (message: string) => void;
let listener: Listener | undefined;

/** Sets the listener that hears of a large file before it is copied. Call the result to restore the one before. */
export function onLargeCopy(listen: Listener): () => void {
  const before = listener;
  listener = listen;
  return () => {
    listener = before;
  };
}

/**
 * Call before a file is copied because it cannot be linked.
 *
 * @throws AuroraError 'disk' if there is not enough free space
 */
export function announceCopy(from: string, to: string): void {
  const { size } = statSync(from);
  if (size < LARGE) return;
  const { bavail, bsize } = statfsSync(dirname(to));
  const free = bavail * bsize;
  if (size > free)
    throw new AuroraError(
      'disk',
      `${from} (${bytes(size)}) would have to be copied to ${dirname(to)}, where ${bytes(free)} are free: the two are on different file systems, or on one without links.`,
      'Keep runs on the file system of the model (--out), or free some space.',
    );
  listener?.(
    `${from} (${bytes(size)}) is copied to ${dirname(to)} while this runs, because it cannot be linked there. Keep runs on the file system of the model (--out) to avoid it.`,
  );
}
