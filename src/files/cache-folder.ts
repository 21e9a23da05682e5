import { homedir } from 'node:os';
import { join } from 'node:path';

/** The user's cache folder on each system. */
export function cacheFolder(env = process.env, platform: NodeJS.Platform = process.platform): string {
  if (platform === 'win32')
    return join(env.LOCALAPPDATA ?? join(homedir(), 'AppData/Local'), 'aurora-lab', 'cache');
  if (platform === 'darwin') return join(homedir(), 'Library/Caches/aurora-lab');
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'aurora-lab');
}

/** The folder of the machines' measured speeds: one file for each processor and number of threads. */
export const ratesFolder = (): string => join(cacheFolder(), 'rates');
