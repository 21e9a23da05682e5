import { writeAtomic } from '../files/atomic';
import { readJsonIfThere } from '../files/json';
import { runPaths } from './layout';

/** user.json: the user's annotations of a run. */
export interface RunUser {
  name?: string;
  note?: string;
  star?: boolean;
  /** Without empty and repeated ones. */
  tags?: string[];
}

/** The maximum size of a user.json. */
export const MOST_USER_BYTES = 2 ** 20;

/** Empty if there is none. Ignores values of the wrong type. */
export const readUser = (run: string): RunUser =>
  userOf(readJsonIfThere(runPaths(run).user, MOST_USER_BYTES));

/** The annotations of a run that is listed or named: a damaged file must not hide it. */
export function readNotes(run: string): RunUser {
  try {
    return readUser(run);
  } catch {
    return {};
  }
}

/** The value of a user.json, as far as it is valid. */
export function userOf(json: unknown): RunUser {
  const value = json as Record<string, unknown> | undefined | null;
  const user: RunUser = {};
  if (typeof value?.name === 'string') user.name = value.name;
  if (typeof value?.note === 'string') user.note = value.note;
  if (typeof value?.star === 'boolean') user.star = value.star;
  const tags = Array.isArray(value?.tags) ? tagsOf(value.tags) : [];
  if (tags.length > 0) user.tags = tags;
  return user;
}

/** Trimmed, in their order; empty and repeated ones and values that are not strings are left out. */
const tagsOf = (values: readonly unknown[]): string[] => [
  ...new Set(values.flatMap((v) => (typeof v === 'string' && v.trim() !== '' ? [v.trim()] : []))),
];

export const writeUser = (run: string, user: RunUser): void =>
  writeAtomic(runPaths(run).user, `${JSON.stringify(user, null, 2)}\n`, run);

/** Changes some annotations and keeps the others. The file omits empty strings, an empty list of tags and a removed star. */
export function changeUser(run: string, change: Partial<RunUser>): void {
  const user = { ...readWhatIsWhole(run), ...change };
  const tags = tagsOf(user.tags ?? []);
  writeUser(run, {
    name: user.name?.trim() || undefined,
    note: user.note?.trim() || undefined,
    star: user.star || undefined,
    tags: tags.length > 0 ? tags : undefined,
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
