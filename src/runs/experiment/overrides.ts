import { AuroraError } from '../../base/errors';
import { leadsToPrototype, own } from '../../base/names';
import { DEEPEST, tooDeep } from './parse-text';
import { keyPath, type Problem } from './experiment-text';

/** A value from the command line that replaces the file's. */
export interface Override {
  /** The override as written: key=value. */
  text: string;
  path: string[];
  value: unknown;
}

/** "training.epochs=5": dotted keys. A value that is not valid JSON is taken as text. */
export function parseOverride(text: string): Override {
  const at = text.indexOf('=');
  if (at < 1)
    throw new AuroraError(
      'usage',
      `--set ${text} has no ${at < 0 ? 'value' : 'key'}.`,
      'Write --set key=value, such as --set training.epochs=5.',
    );
  const path = text.slice(0, at).split('.');
  const value = text.slice(at + 1);
  if (tooDeep(value) !== undefined)
    throw new AuroraError(
      'usage',
      `--set ${keyPath(path)}: objects and lists are nested more than ${DEEPEST} levels deep.`,
      'Write --set key=value, such as --set training.epochs=5.',
    );
  try {
    return { text, path, value: JSON.parse(value) };
  } catch {
    return { text, path, value };
  }
}

/**
 * Sets the value in `experiment` and creates missing objects around it. Follows only own properties, and no part of the
 * key may lead to a prototype, which all objects share.
 */
export function applyOverride(experiment: Record<string, unknown>, { path, value }: Override): Problem[] {
  const wrong = prototypeProblem(path);
  if (wrong !== undefined) return [{ path, message: wrong, atKey: true }];
  let at = experiment;
  for (const [i, key] of path.slice(0, -1).entries()) {
    const next = own(at, key) ?? (at[key] = {});
    if (typeof next !== 'object' || Array.isArray(next))
      return [{ path, message: `${keyPath(path.slice(0, i + 1))} is not an object, so it has no keys` }];
    at = next as Record<string, unknown>;
  }
  at[path.at(-1)!] = value;
  return [];
}

/**
 * The reason why a path of keys cannot be set: part of it is a name that JavaScript reserves. Undefined for any other
 * path.
 */
export function prototypeProblem(path: readonly string[]): string | undefined {
  const part = path.find(leadsToPrototype);
  return part === undefined
    ? undefined
    : `${keyPath([...path])} is not a setting: no key may contain ${part}`;
}
