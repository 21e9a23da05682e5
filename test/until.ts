import { setTimeout as wait } from 'node:timers/promises';

/** Only for what hangs: no test depends on speed. */
const LIMIT_MS = 480_000;

type Found<T> = Exclude<T, false | null | undefined>;

/**
 * Waits until a look finds something, or is true. An error counts as nothing found: files may not be there yet.
 *
 * @param everyMs the time between two looks, longer where each starts a program
 * @throws Error with the look's source, and its last error as the cause, after eight minutes
 */
export async function until<T>(look: () => T | Promise<T>, everyMs = 5): Promise<Found<T>> {
  let cause: unknown;
  for (const end = Date.now() + LIMIT_MS; Date.now() < end; await wait(everyMs))
    try {
      const found = await look();
      if (found) return found as Found<T>;
    } catch (e) {
      cause = e;
    }
  throw new Error(`Not so after ${LIMIT_MS / 1000} s: ${look}`, { cause });
}
