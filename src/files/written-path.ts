import { dirname, relative, sep } from 'node:path';

/** `path` relative to the folder of `file`, with forward slashes; absolute if they share no root (drives). */
export function writtenPath(file: string, path: string): string {
  return relative(dirname(file), path).split(sep).join('/');
}
