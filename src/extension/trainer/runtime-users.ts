import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { presence, processRecord, type ProcessRecord } from '../../files/processes';

/** In each version's copy: a file for each trainer that runs from it, named by its process id. */
const USERS = 'in-use';

/** A version's folder is only a number of that kind, so that nothing else in globalStorage is ever removed. */
const VERSION = /^\d+\.\d+\.\d+\S*$/;

export async function noteUser(folder: string, pid: number): Promise<void> {
  await mkdir(join(folder, USERS), { recursive: true });
  await writeFile(join(folder, USERS, String(pid)), `${JSON.stringify(await processRecord(pid))}\n`);
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
    const { record, seen } = noted(name, await readFile(join(folder, USERS, name), 'utf8').catch(() => ''));
    // A later process may have been given the same number; one that cannot be told apart keeps the copy.
    if ((await presence(record, seen)) !== 'gone') return true;
  }
  return false;
}

/** Older versions noted only when: the name is the process's number. */
function noted(name: string, text: string): { record: ProcessRecord; seen?: number } {
  const known = { pid: Number(name), host: hostname() };
  try {
    const value = JSON.parse(text) as ProcessRecord | number;
    return typeof value === 'number' ? { record: known, seen: value } : { record: { ...known, ...value } };
  } catch {
    return { record: known };
  }
}
