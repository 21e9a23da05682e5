import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { AuroraError } from '../../../base/errors';
import { hubReferenceProblem, parseHubReference, type HubReference } from '../../../experiment/hub-reference';
import { MODEL_CONFIG } from '../../../files/model-path';
import { hasWildcard } from '../../../files/pattern';
import { isFolder } from '../../../files/tree';
import { snapshotPath } from '../../../files/hub-cache';
import { cachedInfo } from '../../../hub/cache';
import type { Hub } from '../../../hub/hub-client';
import { isIntact } from '../../../hub/download/download';
import { hubTextsIn, isCached } from '../../../runs/experiment/hub-references';
import { readText } from '../../../runs/experiment/load';
import { ExperimentText, mistakesError } from '../../../runs/experiment/experiment-text';
import { readInputs } from '../../../runs/inputs';
import { runPaths } from '../../../runs/layout';
import { namedFiles } from './data-download';
import { planModel } from './model-download';
import { described, missingOf, type Plan } from './download-plan';

/** The references to the hub in an experiment file, or of the files that a run was trained on. */
export const referencesOf = (path: string): HubReference[] =>
  isFolder(path) && existsSync(runPaths(path).spec) ? ofRun(path) : ofExperiment(path);

function ofExperiment(file: string): HubReference[] {
  const doc = new ExperimentText(file, readText(file)).requireReadable();
  return hubTextsIn(doc.value()).map(({ path, text: written }) => {
    const ref = parseHubReference(written);
    if (ref) return ref;
    const problem = hubReferenceProblem(written, path[0] === 'model' ? 'model' : 'dataset');
    throw mistakesError([{ ...doc.placeOf({ path }), message: `"${written}", ${problem}.` }]);
  });
}

/** inputs.json names every file; the files of a model's folder follow from config.json. */
function ofRun(run: string): HubReference[] {
  const record = readInputs(run);
  if (!record)
    throw new AuroraError(
      'run',
      `${run} does not record what it was trained on.`,
      'It ended before its first checkpoint.',
    );
  return record.files.flatMap(({ role, hub }) => {
    const ref = hub === undefined ? undefined : parseHubReference(hub);
    if (!ref) return [];
    const isFolderModel = role === 'model' && basename(ref.path) === MODEL_CONFIG;
    return [
      isFolderModel ? { ...ref, path: ref.path.slice(0, -MODEL_CONFIG.length).replace(/\/$/, '') } : ref,
    ];
  });
}

/**
 * The plans to download references: one for each repository at one commit. Repositories whose files are all in the
 * cache need none, and no request.
 */
export async function planReferences(hub: Hub, refs: readonly HubReference[]): Promise<Plan[]> {
  const groups = new Map<string, HubReference[]>();
  for (const ref of refs) {
    const key = `${ref.kind} ${ref.repo} ${ref.revision}`;
    groups.set(key, [...(groups.get(key) ?? []), ref]);
  }
  const plans: Plan[] = [];
  for (const group of groups.values()) {
    const [{ kind }] = group;
    if (await isSurelyCached(hub, group)) continue;
    plans.push(kind === 'model' ? await modelOf(hub, group) : await dataOf(hub, group));
  }
  return plans.filter(({ missing }) => missing.length > 0);
}

/** The number of a pattern's files is unknown here. Blobs are named after the hashes of their contents. */
async function isSurelyCached({ settings: { cache, offline } }: Hub, group: readonly HubReference[]) {
  const [{ kind, repo, revision }] = group as [HubReference];
  const known = new Map(cachedInfo(cache, kind, repo, revision)?.files.map((file) => [file.path, file]));
  for (const ref of group) {
    if (!isCached(ref, cache) || ref.path === '' || (hasWildcard(ref.path) && !offline)) return false;
    const file = known.get(ref.path);
    if (file && !(await isIntact(snapshotPath(cache, ref), file))) return false;
  }
  return true;
}

/** The model with its files; files that are named separately come with it, or alone. */
async function modelOf(hub: Hub, group: readonly HubReference[]): Promise<Plan> {
  const [{ repo, revision }] = group;
  const file = group.find(({ path }) => path.endsWith('.onnx'))?.path;
  const plan = await planModel(hub, repo, { revision, file });
  const others = group.map(({ path }) => path).filter((path) => path !== '' && !plan.paths.includes(path));
  const paths = [
    ...plan.paths,
    ...others.flatMap((path) => namedFiles(plan.info, path).files.map((f) => f.path)),
  ];
  return { ...plan, paths, missing: await missingOf(hub, plan.info, paths) };
}

async function dataOf(hub: Hub, group: readonly HubReference[]): Promise<Plan> {
  const [{ repo, revision }] = group;
  const info = await hub.info('dataset', repo, revision);
  const splits = group.map(({ path }) => namedFiles(info, path));
  const paths = [...new Set(splits.flatMap(({ files }) => files.map(({ path }) => path)))];
  const missing = await missingOf(hub, info, paths);
  const shown = await described(hub, info, paths, missing);
  return {
    info,
    paths,
    missing,
    shown: { kind: 'data', ...shown, config: '', configs: [], splits: [] },
    got: () => Promise.resolve([]),
  };
}
