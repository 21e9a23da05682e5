import { writeAtomic } from '../graph/files';
import { readJsonIfThere } from './json';
import { runPaths } from './layout';

/** user.json: the person's own words on a run. */
export interface RunUser {
  name?: string;
  note?: string;
  star?: boolean;
}

/** Empty where there is none; what is not of its type is passed over. */
export function readUser(run: string): RunUser {
  const value = readJsonIfThere(runPaths(run).user) as Record<string, unknown> | undefined | null;
  const user: RunUser = {};
  if (typeof value?.name === 'string') user.name = value.name;
  if (typeof value?.note === 'string') user.note = value.note;
  if (typeof value?.star === 'boolean') user.star = value.star;
  return user;
}

export const writeUser = (run: string, user: RunUser): void =>
  writeAtomic(runPaths(run).user, `${JSON.stringify(user, null, 2)}\n`);
