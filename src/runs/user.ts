import { writeAtomic } from '../files/atomic';
import { readJsonIfThere } from '../files/json';
import { runPaths } from './layout';

/** user.json: the person's own words on a run. */
export interface RunUser {
  name?: string;
  note?: string;
  star?: boolean;
}

/** Empty where there is none; what is not of its type is passed over. */
export const readUser = (run: string): RunUser => userOf(readJsonIfThere(runPaths(run).user));

/** The value of a user.json, as far as it is understood. */
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

/** Changes some of the person's words and keeps the others. An empty text or a star taken off is left out of the file. */
export function changeUser(run: string, change: Partial<RunUser>): void {
  const user = { ...readWhatIsWhole(run), ...change };
  writeUser(run, {
    name: user.name?.trim() || undefined,
    note: user.note?.trim() || undefined,
    star: user.star || undefined,
  });
}

/** A file that is no JSON is written anew; one that cannot be read just now must not lose its words. */
function readWhatIsWhole(run: string): RunUser {
  try {
    return readUser(run);
  } catch (e) {
    if ((e as Error).cause instanceof SyntaxError) return {};
    throw e;
  }
}
