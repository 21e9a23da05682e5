/** A run that takes longer is on a slow disk, where reading must not block; a busy machine delays some, too. */
const SLOW_MS = 25;
/** In a row. */
const MOST_SLOW = 5;

/**
 * Reads one run after the other with `QUICK`, which blocks, as long as that is fast.
 *
 * @param read gets one of the items
 * @param pause lets other work continue, if it is time
 * @returns the items that are left, since the disk is slow
 */
export async function readQuickly<T>(
  items: readonly T[],
  read: (item: T) => Promise<void>,
  pause?: () => Promise<void>,
): Promise<T[]> {
  let slow = 0;
  for (const [i, item] of items.entries()) {
    const began = performance.now();
    await read(item);
    slow = performance.now() - began > SLOW_MS ? slow + 1 : 0;
    if (slow === MOST_SLOW) return items.slice(i + 1);
    await pause?.();
  }
  return [];
}

/** Runs an action on every item, at most `limit` at a time. */
export async function eachLimited<T>(
  items: readonly T[],
  limit: number,
  action: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < items.length) await action(items[next++]);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}
