import { snapshotPath } from '../../../files/hub-cache';
import { referenceTo } from '../../../hub/cache';
import { Hub } from '../../../hub/hub-client';
import { isIntact } from '../../../hub/download/download';
import type { RepoInfo } from '../../../hub/types';
import type { GotReference, HubData, HubModel } from '../../../protocol/hub';

/** A planned download, before anybody has agreed to it. */
export interface Plan {
  info: RepoInfo;
  /** The facts that are shown about it. */
  shown: HubModel | HubData;
  /** The files to have, and those of them that are not in the cache. */
  paths: string[];
  missing: string[];
  /** The references in the cache when all files are there. */
  got(): Promise<GotReference[]>;
}

/** The files that have to be downloaded: they are not there, or differ from the hub's. */
export async function missingOf(
  { settings }: Hub,
  info: RepoInfo,
  paths: readonly string[],
): Promise<string[]> {
  const files = new Map(info.files.map((file) => [file.path, file]));
  const missing: string[] = [];
  for (const path of paths)
    if (!(await isIntact(snapshotPath(settings.cache, referenceTo(info, path)), files.get(path)!)))
      missing.push(path);
  return missing;
}

/** The description that models and data share. @param about the revision that has the card, if that is another */
export async function described(
  hub: Hub,
  info: RepoInfo,
  paths: readonly string[],
  missing: readonly string[],
  about: RepoInfo = info,
): Promise<Omit<HubModel, 'kind' | 'verdict'>> {
  const sizes = new Map(info.files.map(({ path, size }) => [path, size]));
  const files = paths.map((path) => ({ path, size: sizes.get(path)! }));
  const bytes = (of: readonly string[]) => of.reduce((sum, path) => sum + sizes.get(path)!, 0);
  const card = missing.length > 0 ? await hub.card(about) : undefined;
  const { id, commit } = info;
  const { task, licence, gated } = about;
  return {
    ...{ id, commit, gated, private: about.private, files },
    task,
    licence,
    card,
    size: bytes(paths),
    cached: bytes(paths) - bytes(missing),
    host: new URL(hub.settings.endpoint).host,
  };
}

/** The hub that the environment names, with a warning where it gets no token. */
export function openHub(): Hub {
  const hub = new Hub();
  if (hub.http.withholds)
    process.stderr.write(
      `Warning: HF_ENDPOINT is ${hub.http.endpoint.origin}, to which your token is not sent: anyone on the network could read it. Use https.\n`,
    );
  return hub;
}
