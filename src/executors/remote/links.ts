import { lstatSync, readlinkSync } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';

/** A file as the file system has it: its real path, and the links that lead to it. */
export interface LinkedPath {
  real: string;
  /** The links passed, each an absolute path, with their targets as written. */
  links: Map<string, string>;
}

/** The most links that Linux follows. */
const MOST_LINKS = 40;

/**
 * Follows a path as the system does. The hub's cache has links in place of files: the names that a path leads through
 * are part of a model's identity.
 *
 * @param known the targets of paths that are links, shared by the calls for many files in the same folders
 * @throws Error (ENOENT and so on) as `lstat`, or if links lead in a circle
 */
export function followLinks(path: string, known = new Map<string, string | undefined>()): LinkedPath {
  const links = new Map<string, string>();
  let done: string = sep;
  let left = parts(path);
  while (left.length > 0) {
    const [next, ...others] = left;
    const at = resolve(done, next!);
    if (!known.has(at)) known.set(at, lstatSync(at).isSymbolicLink() ? readlinkSync(at) : undefined);
    const target = known.get(at);
    if (target === undefined) {
      done = at;
      left = others;
      continue;
    }
    links.set(at, target);
    if (links.size > MOST_LINKS) throw new Error(`${path} leads through too many links`);
    done = sep;
    left = [...parts(resolve(dirname(at), target)), ...others];
  }
  return { real: done, links };
}

const parts = (path: string): string[] =>
  resolve(path)
    .split(sep)
    .filter((part) => part !== '');
