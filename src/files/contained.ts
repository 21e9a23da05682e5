import { lstatSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, posix, resolve, sep } from 'node:path';

/**
 * The one place that decides whether a name taken from a file stays within its folder. Such a name is untrusted: it may
 * climb out by `..`, be absolute, or be the name of a link that leads out.
 */

/**
 * A relative path in one spelling, with `/`; undefined where it leads out of the folder it is relative to, or is that
 * folder. A backslash separates on every system, since files written on Windows are read on others, and a name that
 * passes here must not become another path later.
 */
export function containedName(name: string, platform = process.platform): string | undefined {
  if (name.includes('\0')) return undefined;
  const path = name.replaceAll('\\', '/');
  if (path.startsWith('/')) return undefined;
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    // Windows drops dots and spaces at the end, and a colon names a drive or a second stream of the file.
    if (platform === 'win32' && part !== '..' && /[. ]$|:/.test(part)) return undefined;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  // Checked last: "./C:/x" would be a drive's path once it is written in its one spelling.
  return parts.length === 0 || /^[A-Za-z]:$/.test(parts[0]!) ? undefined : parts.join('/');
}

/** Whether a text names an entry of a folder itself: no path, and neither the folder nor the one above it. */
export const isEntryName = (name: unknown): name is string =>
  typeof name === 'string' && !/[/\\]/.test(name) && containedName(name) === name;

/** What a name taken from a file stands for. */
export type Contained =
  /** There, and inside: its real path, without links, and its one spelling. */
  | { is: 'inside'; real: string; name: string }
  /** The name itself leads out, or is no name. */
  | { is: 'outside' }
  | { is: 'missing'; path: string }
  /** A link on the way leads out. */
  | { is: 'linkedOut'; path: string; real: string };

/**
 * Where a name taken from a file really leads. In a cache of Hugging Face's hub, where `snapshots/REVISION` links to
 * `blobs`, those blobs are inside too. Read what is at `real`: another look at the name may find another link.
 */
export function locate(root: string, name: string): Contained {
  const spelled = containedName(name);
  if (spelled === undefined) return { is: 'outside' };
  const home = realpathSync(root);
  const path = resolve(home, spelled);
  let real: string;
  try {
    real = realpathSync(path);
  } catch (e) {
    if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes((e as NodeJS.ErrnoException).code!)) throw e;
    return { is: 'missing', path };
  }
  const inside = homesOf(home).some((at) => real.startsWith(at.endsWith(sep) ? at : at + sep));
  return inside ? { is: 'inside', real, name: spelled } : { is: 'linkedOut', path, real };
}

/** The real path of a file that a folder has itself or through its hub cache; undefined for anything else. */
export function ownFile(folder: string, name: string): string | undefined {
  try {
    const found = locate(folder, name);
    return found.is === 'inside' && statSync(found.real).isFile() ? found.real : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Where to write a file under a name taken from another file; undefined where that would be outside of `root`, whose
 * folders may be links too.
 */
export function containedTarget(root: string, name: string): string | undefined {
  const spelled = containedName(name);
  if (spelled === undefined) return undefined;
  const home = realpathSync(root);
  for (let at = spelled; at !== '.'; at = posix.dirname(at)) {
    const found = locate(home, at);
    if (found.is === 'linkedOut') return undefined;
    if (found.is === 'inside') return join(found.real, spelled.slice(at.length + 1));
    // A link to nothing: what is written through it would appear where it leads.
    if (lstatSync(join(home, at), { throwIfNoEntry: false })) return undefined;
  }
  return join(home, spelled);
}

/** A folder, and the blobs of the hub cache that it is a snapshot in, or lies in a snapshot of. */
function homesOf(folder: string): string[] {
  for (let at = folder; dirname(at) !== at; at = dirname(at)) {
    const above = dirname(at);
    if (basename(above) === 'snapshots') return [folder, join(dirname(above), 'blobs')];
  }
  return [folder];
}
