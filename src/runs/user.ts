import { writeAtomic } from '../files/atomic';
import { readJsonIfThere } from '../files/json';
import { runPaths } from './layout';

/** user.json: the user's annotations of a run. */
export interface RunUser {
  name?: string;
  note?: string;
  star?: boolean;
}

/** Empty if there is none. Ignores values of the wrong type. */
export const readUser = (run: string): RunUser => userOf(readJsonIfThere(runPaths(run).user));

/** The value of a user.json, as far as it is valid. */
export function userOf(json: unknown): RunUser {
  const value = json as Record<string, unknown> | undefined | null;
  const user: RunUser = {};
  if (typeof value?.name === 'string') user.name = value.name;
  if (typeof value?.note === 'string') user.note = value.note;
  if (typeof value?.star === 'boolean') user.star = value.star;
  return user;
}

export const writeUser = (run: string, user: RunUser): void =>
  writeAtomic(runPaths(run).user, `${JSON.stringify(user, null, 2)}\n`, run);

/** Changes some annotations and keeps the others. The file omits empty texts and a removed star. */
export function changeUser(run: string, change: Partial<RunUser>): void {
  const user = { ...readWhatIsWhole(run), ...change };
  writeUser(run, {
    name: user.name?.trim() || undefined,
    note: user.note?.trim() || undefined,
    star: user.star || undefined,
  });
}

/** A file that is not JSON is rewritten; one that cannot be read right now must not lose its content. */
function readWhatIsWhole(run: string): RunUser {
  try {
    return readUser(run);
  } catch (e) {
    if ((e as Error).cause instanceof SyntaxError) return {};
    throw e;
  }
}
