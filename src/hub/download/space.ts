import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { AuroraError } from '../../base/errors';
import { bytes } from '../../base/number-text';

/** @throws AuroraError 'disk' if a folder, which need not exist yet, has not this many bytes of free space */
export function requireSpace(folder: string, needed: number): void {
  const free = freeSpace(folder);
  if (free === undefined || free >= needed) return;
  throw new AuroraError(
    'disk',
    `The download needs ${bytes(needed)}, and only ${bytes(free)} are free in ${folder}.`,
    'Free some space, or set HF_HUB_CACHE to a folder on another disk.',
  );
}

/** Undefined where the system does not report it. */
function freeSpace(folder: string): number | undefined {
  for (let at = folder; ; at = dirname(at)) {
    try {
      const { bavail, bsize } = statfsSync(at);
      return bavail * bsize;
    } catch (e) {
      const missing = (e as NodeJS.ErrnoException).code === 'ENOENT';
      if (!missing || dirname(at) === at) return undefined;
    }
  }
}
