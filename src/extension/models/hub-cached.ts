import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isCommit, type HubKind } from '../../experiment/hub-reference';
import { hubCacheFolder } from '../../files/hub-cache';
import { MODEL_CONFIG, PIPELINE_INDEX } from '../../files/model-path';
import { withPatterns } from '../../files/pattern';

/**
 * The parts of the hub's cache that can be trained on, for lists in which a person chooses. No requests, and nothing is
 * read.
 */

/** More would not be found in a list either. */
const MOST = 300;

/** Paths of models: pipelines, folders with config.json and safetensors, and ONNX files. */
export async function cachedModels(cache = hubCacheFolder()): Promise<string[]> {
  const found = await eachSnapshot(cache, 'model', async (folder) => {
    const files = await filesIn(folder, 1);
    if (files.includes(PIPELINE_INDEX)) return files.some((path) => UNET.test(path)) ? [folder] : [];
    const isFolder = files.includes(MODEL_CONFIG) && files.some((path) => /^[^/]+\.safetensors$/.test(path));
    return isFolder
      ? [folder]
      : files.filter((path) => path.endsWith('.onnx')).map((path) => join(folder, path));
  });
  return found;
}

/** The files of a pipeline that an interrupted download may lack. */
const UNET = /^unet\/[^/]+\.(safetensors|onnx)$/;

const DATA = /\.(parquet|(csv|tsv|jsonl|conll)(\.gz)?)$/;
/** The hub's numbers for the files to which it converts a split. */
const NUMBERED = /^(.*\/)\d{4}\.parquet$/;

/** Paths of data files; several that belong together as their pattern. */
export const cachedData = (cache = hubCacheFolder()): Promise<string[]> =>
  eachSnapshot(cache, 'dataset', async (folder) => {
    const files = (await filesIn(folder, 2)).filter((path) => DATA.test(path));
    const several = (path: string): string[] => {
      const [, beside] = NUMBERED.exec(path) ?? [];
      if (beside === undefined) return [path];
      // The first one is downloaded last.
      if (!files.includes(`${beside}0000.parquet`)) return [];
      const more = files.some((other) => other !== path && NUMBERED.exec(other)?.[1] === beside);
      return [more ? `${beside}*.parquet` : path];
    };
    return withPatterns([...new Set(files.flatMap(several))].map((path) => join(folder, path)));
  });

async function eachSnapshot(
  cache: string,
  kind: HubKind,
  look: (folder: string) => Promise<string[]>,
): Promise<string[]> {
  const repos = (await namesIn(cache)).filter((name) => name.startsWith(`${kind}s--`)).slice(0, MOST);
  const found = repos.map(async (repo) => {
    const snapshots = join(cache, repo, 'snapshots');
    const commits = (await namesIn(snapshots)).filter(isCommit);
    return (await Promise.all(commits.map((commit) => look(join(snapshots, commit))))).flat();
  });
  return (await Promise.all(found)).flat();
}

/** Files with forward slashes, as deep as that; links whose blob was removed do not count. */
async function filesIn(folder: string, depth: number, within = ''): Promise<string[]> {
  const entries = await readdir(join(folder, within), { withFileTypes: true }).catch(() => []);
  const found = entries.map(async (entry): Promise<string[]> => {
    const path = within + entry.name;
    if (entry.isDirectory()) return depth > 0 ? filesIn(folder, depth - 1, `${path}/`) : [];
    const there = await stat(join(folder, path)).catch(() => undefined);
    return there?.isFile() ? [path] : [];
  });
  return (await Promise.all(found)).flat().sort();
}

const namesIn = (folder: string): Promise<string[]> =>
  readdir(folder).then(
    (all) => all.sort(),
    () => [],
  );
