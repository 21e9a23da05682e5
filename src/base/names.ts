/**
 * Names from a file, a model or a command line, used as object keys. On an ordinary object, `constructor` and
 * `toString` find what every object inherits, and `__proto__` is its prototype: code that follows a path through it
 * writes to every object of the process.
 */

const PROTOTYPE_NAMES: readonly string[] = ['__proto__', 'constructor', 'prototype'];

/** True for a name that leads from an object to what it inherits, such as a segment of a path. */
export const leadsToPrototype = (name: string | number): boolean => PROTOTYPE_NAMES.includes(String(name));

/** The object's own value for that name; undefined if it has none, regardless of what it inherits. */
export const own = <T>(of: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(of, name) ? of[name] : undefined;

/** An object with these entries that inherits nothing, so that any name can be written and read. */
export function nameTable<T>(entries: Iterable<readonly [string, T]> = []): Record<string, T> {
  const table = Object.create(null) as Record<string, T>;
  for (const [name, value] of entries) table[name] = value;
  return table;
}
