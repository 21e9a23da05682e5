/** Adds a value to the list of a key. Copying the list instead takes quadratic time. */
export function append<K, T>(lists: Map<K, T[]>, key: K, value: T): void {
  const there = lists.get(key);
  if (there) there.push(value);
  else lists.set(key, [value]);
}

/** Items by a key, in their order; the keys in the order of their first items. */
export function gathered<T, K>(items: readonly T[], keyOf: (item: T, index: number) => K): Map<K, T[]> {
  const found = new Map<K, T[]>();
  items.forEach((item, i) => append(found, keyOf(item, i), item));
  return found;
}
