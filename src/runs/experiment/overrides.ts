import { AuroraError } from '../../shared/errors';
import { keyPath, type Problem } from './source';

/** A value given on the command line in place of the file's. */
export interface Override {
  /** As it was written: key=value. */
  text: string;
  path: string[];
  value: unknown;
}

/** "training.epochs=5": dotted keys; the value as JSON where it is JSON, else as text. */
export function parseOverride(text: string): Override {
  const at = text.indexOf('=');
  if (at < 1)
    throw new AuroraError(
      'usage',
      `--set ${text} names no ${at < 0 ? 'value' : 'key'}.`,
      'Write --set key=value, such as --set training.epochs=5.',
    );
  const value = text.slice(at + 1);
  try {
    return { text, path: text.slice(0, at).split('.'), value: JSON.parse(value) };
  } catch {
    return { text, path: text.slice(0, at).split('.'), value };
  }
}

/** Sets the value in `experiment`, with the objects around it where they are missing. */
export function applyOverride(experiment: Record<string, unknown>, { path, value }: Override): Problem[] {
  let at = experiment;
  for (const [i, key] of path.slice(0, -1).entries()) {
    at[key] ??= {};
    const next = at[key];
    if (typeof next !== 'object' || Array.isArray(next))
      return [{ path, message: `${keyPath(path.slice(0, i + 1))} has no keys of its own` }];
    at = next as Record<string, unknown>;
  }
  at[path.at(-1)!] = value;
  return [];
}
