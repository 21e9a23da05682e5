/**
 * Names that come from a file, a model or a command line, used as keys of an object. On an ordinary object
 * `constructor` and `toString` find what every object inherits, and `__proto__` is its prototype: whoever walks
 * a path through that writes into every object of the process.
 */

const PROTOTYPE_NAMES: readonly string[] = ['__proto__', 'constructor', 'prototype'];

/** Whether a part of a path leads from an object to what it inherits. */
export const leadsToPrototype = (name: string | number): boolean => PROTOTYPE_NAMES.includes(String(name));

/** The object's own value of that name; undefined where it has none, whatever it inherits. */
export const own = <T>(of: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(of, name) ? of[name] : undefined;

/** An object with these entries and nothing inherited: any name can be written to it and read from it. */
export function nameTable<T>(entries: Iterable<readonly [string, T]> = []): Record<string, T> {
  const table = Object.create(null) as Record<string, T>;
  for (const [name, value] of entries) table[name] = value;
  return table;
}
