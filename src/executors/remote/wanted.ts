import { containedName } from '../../files/contained';

/** Files and folders that are asked for, relative to the folder of the run folders. */
export interface Wanted {
  /** Such as a run's name, or a file in it. */
  entries: readonly string[];
  /** Names in a run's folder that do not come, as patterns. */
  without: readonly string[];
}

/** Files that a killed or running writer has not finished, at any depth. */
export const UNFINISHED = ['.*.aurora-tmp', '.*.aurora-tmp.old'];

/**
 * A test for files that may come from a cluster. Its answer is not trusted: a login node, and older versions of rsync,
 * may send other files than requested.
 *
 * @returns true for a path with forward slashes that was requested
 */
export function wanting({ entries, without }: Wanted): (path: string) => boolean {
  const asked = new Set(entries);
  const left = without.map(asPattern);
  const unfinished = UNFINISHED.map(asPattern);
  return (path) => {
    if (containedName(path, 'linux') !== path || /\p{Cc}/u.test(path)) return false;
    const parts = path.split('/');
    // A run is a folder.
    if (parts.length < 2 || left.some((pattern) => pattern.test(parts[1]!))) return false;
    if (parts.some((part) => unfinished.some((pattern) => pattern.test(part)))) return false;
    return parts.some((_, i) => asked.has(parts.slice(0, i + 1).join('/')));
  };
}

/** Some systems do not distinguish upper from lower case. */
const asPattern = (pattern: string): RegExp =>
  new RegExp(`^${pattern.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`, 'is');
