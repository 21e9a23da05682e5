import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Every file below a folder, as paths relative to it with "/", ordered by code units. Links to files count as files;
 * links to folders are not followed, since they may lead back.
 *
 * @throws NodeJS.ErrnoException if the folder, or one below it, cannot be read
 */
export function filesBelow(folder: string): string[] {
  const found: string[] = [];
  const walk = (at: string) => {
    for (const entry of readdirSync(join(folder, at), { withFileTypes: true })) {
      const path = at === '' ? entry.name : `${at}/${entry.name}`;
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile() || (entry.isSymbolicLink() && isFile(join(folder, path)))) found.push(path);
    }
  };
  walk('');
  return found.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

export const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
