/** Items by a key, in their order; the keys in the order of their first items. */
export function gathered<T, K>(items: readonly T[], keyOf: (item: T, index: number) => K): Map<K, T[]> {
  const found = new Map<K, T[]>();
  items.forEach((item, i) => {
    const key = keyOf(item, i);
    const there = found.get(key);
    if (there) there.push(item);
    else found.set(key, [item]);
  });
  return found;
}
