import { dirname, relative, sep } from 'node:path';
import { hubReferenceText } from '../experiment/hub-reference';
import { ownReferenceOf } from './hub-cache';

/**
 * `path` as an experiment names it: relative to the folder of `file`, with forward slashes; absolute if they share no root
 * (drives). What is in the hub's cache is named by its reference, which leads to the same bytes on every machine.
 */
export function writtenPath(file: string, path: string): string {
  const ref = ownReferenceOf(path);
  return ref ? hubReferenceText(ref) : relative(dirname(file), path).split(sep).join('/');
}
