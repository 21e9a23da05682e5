import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { clusterQuote } from '../cluster/plain-name';
import { isRealFolder } from './arrived';
import { lines } from './platform';
import type { ClusterShell } from './shell';
import { wanting, type Wanted } from './wanted';

/** The names of some thousand files. */
const LIST_MS = 10 * 60_000;

/**
 * Removes files here that are not in the same folders on the cluster any more. Files directly in a run's folder stay,
 * and so do folders that are only here: notes, exports, studies. Links are not followed. If the cluster cannot list all
 * of its files, nothing is removed.
 *
 * @param options.entries folders of runs, or folders in them
 * @throws AuroraError as the shell
 */
export async function removeGone(
  shell: ClusterShell,
  { from, to, ...wanted }: Wanted & { from: string; to: string },
): Promise<void> {
  const script = `cd ${clusterQuote(from)} || exit
while IFS= read -r entry; do
  [ ! -d "$entry" ] || find "./$entry" -print || exit
done`;
  const { code, stdout } = await shell.run(script, { input: lines(wanted.entries), timeoutMs: LIST_MS });
  if (code !== 0) return;
  const isThere = new Set(stdout.split('\n').map((line) => line.slice('./'.length)));
  const isWanted = wanting(wanted);
  const clean = (folder: string): void => {
    if (!isThere.has(folder) || !isRealFolder(join(to, folder))) return;
    for (const name of readdirSync(join(to, folder))) {
      const path = `${folder}/${name}`;
      if (!isWanted(path)) continue;
      if (folder.includes('/') && !isThere.has(path))
        rmSync(join(to, path), { recursive: true, force: true });
      else clean(path);
    }
  };
  for (const entry of wanted.entries) clean(entry);
}
