import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isThere, startTime } from './processes';

/** In each version's copy: a file for each trainer that runs from it, named by its process id. */
const USERS = 'in-use';

/** A version's folder is only a number of that kind, so that nothing else in globalStorage is ever removed. */
const VERSION = /^\d+\.\d+\.\d+\S*$/;

/** A process may have begun a little before its note says, by the clock's own grain. */
const SLACK_MS = 5000;

export async function noteUser(folder: string, pid: number): Promise<void> {
  await mkdir(join(folder, USERS), { recursive: true });
  await writeFile(join(folder, USERS, String(pid)), `${Date.now()}\n`);
}

/** Removes the copies of other versions that no living trainer runs from. @returns the versions removed */
export async function removeOldVersions(storage: string, current: string): Promise<string[]> {
  const entries = await readdir(storage, { withFileTypes: true }).catch(() => []);
  const removed: string[] = [];
  for (const { name } of entries.filter((e) => e.isDirectory() && VERSION.test(e.name))) {
    if (name === current || (await hasUsers(join(storage, name)))) continue;
    await rm(join(storage, name), { recursive: true, force: true });
    removed.push(name);
  }
  return removed;
}

async function hasUsers(folder: string): Promise<boolean> {
  const names = await readdir(join(folder, USERS)).catch(() => [] as string[]);
  for (const name of names) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || !(await isThere(pid))) continue;
    const noted = Number(await readFile(join(folder, USERS, name), 'utf8').catch(() => '0'));
    const began = await startTime(pid);
    // A later process may have been given the same number.
    if (began === undefined || began <= noted + SLACK_MS) return true;
  }
  return false;
}
