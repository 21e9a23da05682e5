import { lstatSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, posix, resolve, sep } from 'node:path';

/**
 * The only code that decides whether a name from a file stays within its folder. These names are untrusted: they may
 * contain `..`, be absolute, or name a link that leads out.
 */

/**
 * Names of devices on Windows, in every folder and with any extension: a file of such a name cannot be made, and a read may
 * wait for ever. https://learn.microsoft.com/windows/win32/fileio/naming-a-file
 */
const RESERVED =
  /^(?:con|prn|aux|nul|conin\$|conout\$|clock\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3]) *(?:[.:]|$)/i;

/**
 * A relative path in normal form, with `/`; undefined if it leads out of the folder that it is relative to, or is that
 * folder. A backslash is a separator on every system, since files written on Windows are read on others, and a name
 * that passes here must not become a different path later.
 */
export function containedName(name: string, platform = process.platform): string | undefined {
  if (name.includes('\0')) return undefined;
  const path = name.replaceAll('\\', '/');
  if (path.startsWith('/')) return undefined;
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    // Windows drops trailing dots and spaces, and a colon marks a drive or an alternate data stream.
    if (platform === 'win32' && part !== '..' && (/[. ]$|:/.test(part) || RESERVED.test(part)))
      return undefined;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  // Checked last: in normal form, "./C:/x" would be a path on a drive.
  return parts.length === 0 || /^[A-Za-z]:$/.test(parts[0]!) ? undefined : parts.join('/');
}

/** `//host/share`, and the long forms that are not a drive's: `\\?\UNC\host\share`, `\\.\pipe\name`. */
const HOST = /^[/\\]{2}(?:[?.][/\\](?![A-Za-z]:)(?:UNC[/\\]+)?)?(?![?.][/\\])([^/\\]+)/i;

/**
 * The computer (or the pipe) that Windows would contact for a path that a file names, as in `\\host\share`: looking whether the
 * file is there is enough to send it the user's name and a hash of the password. Undefined if there is none, or if the file that
 * names it comes from the same one.
 *
 * @param beside the absolute path of that file, or of its folder
 */
export function otherHost(path: string, beside: string, platform = process.platform): string | undefined {
  if (platform !== 'win32') return undefined;
  const [host, own] = [path, beside].map((one) => HOST.exec(one)?.[1]);
  return host?.toLowerCase() === own?.toLowerCase() ? undefined : host;
}

/** True if a string names a direct entry of a folder: neither a path, nor the folder itself, nor its parent. */
export const isEntryName = (name: unknown): name is string =>
  typeof name === 'string' && !/[/\\]/.test(name) && containedName(name) === name;

/** The target of a name from a file. */
export type Contained =
  /** Exists inside the folder: its real path, without links, and its name in normal form. */
  | { is: 'inside'; real: string; name: string }
  /** The name itself leads out or is invalid. */
  | { is: 'outside' }
  | { is: 'missing'; path: string }
  /** A link in the path leads out. */
  | { is: 'linkedOut'; path: string; real: string };

/**
 * Resolves a name from a file. In a Hugging Face hub cache, where `snapshots/REVISION` links to `blobs`, those blobs
 * count as inside, and so does the store that repositories share. Read from `real`: resolving the name again may find a different link.
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
    if (!['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes((e as NodeJS.ErrnoException).code!)) throw e;
    return { is: 'missing', path };
  }
  const inside = homesOf(home).some((at) => real.startsWith(at.endsWith(sep) ? at : at + sep));
  return inside ? { is: 'inside', real, name: spelled } : { is: 'linkedOut', path, real };
}

/** The real path of a file in a folder, directly or through its hub cache; undefined for anything else. */
export function ownFile(folder: string, name: string): string | undefined {
  try {
    const found = locate(folder, name);
    return found.is === 'inside' && statSync(found.real).isFile() ? found.real : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The path for writing a file whose name comes from another file; undefined if that is outside of `root`. Folders in
 * `root` may be links too.
 */
export function containedTarget(root: string, name: string): string | undefined {
  const spelled = containedName(name);
  if (spelled === undefined) return undefined;
  const home = realpathSync(root);
  for (let at = spelled; at !== '.'; at = posix.dirname(at)) {
    const found = locate(home, at);
    if (found.is === 'linkedOut') return undefined;
    if (found.is === 'inside') return join(found.real, spelled.slice(at.length + 1));
    // A dangling link: a write through it would create a file at its target.
    if (lstatSync(join(home, at), { throwIfNoEntry: false })) return undefined;
  }
  return join(home, spelled);
}

/**
 * A folder and, if it is a snapshot in a hub cache or inside one, the blobs of that cache. Newer versions of huggingface_hub
 * (_shared_blobs.py) replace a blob that is in Xet by a link to the store of all repositories, `blobs` in the cache itself.
 */
function homesOf(folder: string): string[] {
  for (let at = folder; dirname(at) !== at; at = dirname(at)) {
    const above = dirname(at);
    if (basename(above) !== 'snapshots') continue;
    const repo = dirname(above);
    const shared = /^(models|datasets)--/.test(basename(repo)) ? [join(dirname(repo), 'blobs')] : [];
    return [folder, join(repo, 'blobs'), ...shared];
  }
  return [folder];
}
