import { existsSync, readdirSync, statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AuroraError } from '../base/errors';
import { referenceOf } from '../experiment/hub-reference';

/** Data in several files: `train-*.parquet` in place of a file's name. */

/** True if the last part of a path has a wildcard: `*` for any characters, `?` for one. */
export const hasWildcard = (path: string): boolean => /[*?]/.test(basename(path));

/** True if a path stands for several files: a file may also have such a name itself. */
export const isPattern = (path: string): boolean => hasWildcard(path) && !existsSync(path);

/**
 * The files that a path stands for, in natural order: itself, or those in its folder that match its last part. Names that
 * begin with a dot match only a pattern that does.
 *
 * @throws AuroraError 'data' if none matches, or one of a numbered set is missing
 */
export function filesOf(path: string): string[] {
  if (!isPattern(path)) return [path];
  const names = matching(path, entriesBeside(path));
  const isFile = (name: string) =>
    statSync(join(dirname(path), name), { throwIfNoEntry: false })?.isFile() ?? false;
  return matched(path, names.filter(isFile));
}

function entriesBeside(path: string): string[] {
  try {
    return readdirSync(dirname(path));
  } catch (cause) {
    throw noFolder(path, cause);
  }
}

/**
 * The files of a pattern for callers that only look: the path itself if nothing matches, and any existing part of a
 * numbered set.
 */
export function matchedBy(path: string): string[] {
  if (!isPattern(path)) return [path];
  try {
    const found = matching(path, readdirSync(dirname(path))).map((name) => join(dirname(path), name));
    const files = found.filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile());
    return files.length > 0 ? files : [path];
  } catch {
    return [path];
  }
}

/** `filesOf` without blocking, for the extension host. */
export async function filesOfLater(path: string): Promise<string[]> {
  const there = await stat(path).catch(() => undefined);
  if (there || !hasWildcard(path)) return [path];
  const names = await readdir(dirname(path)).catch((cause) => {
    throw noFolder(path, cause);
  });
  const found = matching(path, names).map(async (name) =>
    (await stat(join(dirname(path), name)).catch(() => undefined))?.isFile() ? [name] : [],
  );
  return matched(path, (await Promise.all(found)).flat());
}

/** @throws AuroraError 'data' as `filesOf`. @param names of those that match */
function matched(pattern: string, names: readonly string[]): string[] {
  const folder = dirname(pattern);
  if (names.length === 0)
    throw new AuroraError(
      'data',
      `No file in ${folder} matches "${basename(pattern)}".`,
      'In the name of a file, * stands for any characters and ? for one; folders have no wildcards. Paths are relative to the experiment.',
    );
  const missing = missingShard(pattern, names);
  if (missing !== undefined)
    throw new AuroraError(
      'data',
      `${folder} has no ${missing}, but has other files of the same set, such as ${names[0]}.`,
      'Download it too, or name only files that are there.',
    );
  return names.map((name) => join(folder, name));
}

const noFolder = (pattern: string, cause: unknown): AuroraError =>
  new AuroraError(
    'data',
    `The folder of ${pattern} cannot be read: ${(cause as Error).message}.`,
    'Paths are relative to the experiment.',
    { cause },
  );

/** The names in a folder that match the last part of a path, in natural order: part-2 before part-10. */
export function matching(pattern: string, names: readonly string[]): string[] {
  const isMatch = matcher(pattern);
  return names
    .filter(isMatch)
    .map((name) => ({ name, parts: partsOf(name) }))
    .sort(naturally)
    .map(({ name }) => name);
}

/** A test for names that match the last part of a path. */
function matcher(pattern: string): (name: string) => boolean {
  const wanted = [...basename(pattern)];
  return (name) => (!name.startsWith('.') || wanted[0] === '.') && matches(wanted, [...name]);
}

/**
 * True if a name's characters match. Only the last `*` is ever tried again, so that no pattern takes long: as a regular
 * expression, one with many of them could freeze the editor.
 */
function matches(wanted: readonly string[], name: readonly string[]): boolean {
  let [w, n] = [0, 0];
  /** The last `*`, and how far the characters that it stands for go. */
  let star: { at: number; end: number } | undefined;
  while (n < name.length) {
    if (wanted[w] === '*') star = { at: w++, end: n };
    else if (wanted[w] === '?' || wanted[w] === name[n]) {
      w++;
      n++;
    } else if (star) {
      w = star.at + 1;
      n = ++star.end;
    } else return false;
  }
  return wanted.slice(w).every((character) => character === '*');
}

interface NamedParts {
  name: string;
  /** Digits and the parts between them. */
  parts: string[];
}

const partsOf = (name: string): string[] =>
  name.split(/(\d+)/).map((part, i) => (i % 2 ? part.replace(/^0+(?=\d)/, '') : part));

/** Digits by their value, everything else by code units, so that no locale plays a part. */
function naturally(a: NamedParts, b: NamedParts): number {
  for (const [i, m] of a.parts.entries()) {
    const n = b.parts[i];
    if (n === undefined) return 1;
    if (i % 2 && m.length !== n.length) return m.length - n.length;
    if (m !== n) return m < n ? -1 : 1;
  }
  return a.parts.length - b.parts.length || (a.name < b.name ? -1 : 1);
}

/**
 * The names that the library datasets gives to the files of a set: train-00000-of-00005.parquet, also with a hash
 * before the ending.
 */
const SHARD = /^(.*)-(\d+)-of-(\d+)(\D.*|)$/su;

/**
 * Comparisons of characters, in all sets of a folder together, to find a missing file: names can state sets of any size,
 * and patterns that match none of their other files. Enough for 10,000 files.
 */
const MOST_STEPS = 1e7;

/** The hub's numbers for the files to which it converts a split. */
const CONVERTED = /^\d{4}\.parquet$/;

/**
 * The first file that the hub's conversion of a split has and its folder in the cache lacks. The names do not contain
 * the number of files, but the first one is downloaded last.
 */
function missingConverted(pattern: string, names: readonly string[]): string | undefined {
  const there = names.filter((name) => CONVERTED.test(name)).sort();
  if (there.length === 0 || !referenceOf(pattern)) return undefined;
  const named = there.map((_, n) => `${String(n).padStart(4, '0')}.parquet`);
  const missing = named.find((name, n) => there[n] !== name);
  return missing !== undefined && matching(pattern, [missing]).length > 0 ? missing : undefined;
}

/**
 * The first file that a numbered set lacks and the pattern would match; undefined if nothing is missing, or if it would
 * take long to find out.
 *
 * @param pattern a path with a pattern at its end
 */
export function missingShard(pattern: string, names: readonly string[]): string | undefined {
  const converted = missingConverted(pattern, names);
  if (converted !== undefined) return converted;
  const sets = new Map<string, { name: (number: number) => string; of: number; there: Set<number> }>();
  for (const name of names) {
    const [, stem, number, of, rest] = SHARD.exec(name) ?? [];
    if (stem === undefined) continue;
    const key = `${stem}\0${of}`;
    const set = sets.get(key) ?? {
      name: (n: number) => `${stem}-${String(n).padStart(number!.length, '0')}-of-${of}${rest}`,
      of: Number(of),
      there: new Set<number>(),
    };
    sets.set(key, set);
    set.there.add(Number(number));
  }
  const isMatch = matcher(pattern);
  let steps = MOST_STEPS;
  for (const { name, of, there } of sets.values())
    for (let n = 0; n < of; n++) {
      if (there.has(n)) continue;
      const missing = name(n);
      steps -= missing.length * basename(pattern).length;
      if (steps < 0) return undefined;
      if (isMatch(missing)) return missing;
    }
  return undefined;
}

/**
 * The pattern of the numbered set that a file belongs to: train-*-of-00005.parquet for train-00002-of-00005.parquet.
 * Undefined if it is the only one.
 */
export function shardPattern(name: string): string | undefined {
  const [, stem, , of, rest] = SHARD.exec(name) ?? [];
  if (stem === undefined || Number(of) < 2) return undefined;
  return `${stem}-*-of-${of}${rest!.replace(/^-[0-9a-f]{16}(?=\.)/, '-*')}`;
}

/** Paths with each numbered set as its pattern, in place of its first file. */
export function withPatterns(paths: readonly string[]): string[] {
  const patterns = paths.map((path) => {
    const pattern = shardPattern(basename(path));
    return pattern === undefined ? path : join(dirname(path), pattern);
  });
  return [...new Set(patterns)];
}
