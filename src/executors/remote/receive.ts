import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryBeside } from '../../files/temporary';
import { placeArrived } from './arrived';
import type { Rsync } from './rsync';
import { UNFINISHED, wanting, type Wanted } from './wanted';

export interface Receive extends Wanted {
  /** The folder there. */
  from: string;
  to: string;
  /** A folder on the same disk as `to` that other users may not open. */
  temporary: string;
  options?: readonly string[];
  timeoutMs: number;
}

/**
 * Copies files from a cluster that differ from those here. They come into a folder where nothing else is, and get their
 * places one by one, as `placeArrived` moves them; what has come by the time of an error, too.
 *
 * @returns false if it was not done in time
 * @throws AuroraError as `Rsync`, 'disk' as `placeArrived`
 */
export async function receive(
  rsync: Rsync,
  { from, to, entries, without, temporary, options = [], timeoutMs }: Receive,
): Promise<boolean> {
  if (entries.length === 0) return true;
  const arrived = temporaryBeside(join(temporary, 'rsync'));
  const halves = temporaryBeside(join(temporary, 'halves'));
  mkdirSync(arrived);
  mkdirSync(halves);
  try {
    return await rsync.copy({
      ...{ from: { there: from }, to: arrived, entries, timeoutMs },
      options: [
        // The copies can be read and moved here, whatever their permissions there.
        '--chmod=Du+rwx,Fu+rw',
        // Files that are equal here do not come.
        ...[`--compare-dest=${to}`, `--temp-dir=${halves}`],
        ...without.map((name) => `--exclude=/*/${name}`),
        ...UNFINISHED.map((name) => `--exclude=${name}`),
        ...options,
      ],
    });
  } finally {
    placeArrived(arrived, to, wanting({ entries, without }));
    for (const folder of [arrived, halves]) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
