import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { AuroraError } from '../../../base/errors';
import { machineRates } from '../../../checks/cost/machine-rates';
import { isStructure, type ReadRange, writeHeadersOnly } from '../../../checks/hub/headers-only';
import { modelVerdict } from '../../../checks/hub/verdict';
import { hubReferenceText, isCommit } from '../../../experiment/hub-reference';
import { snapshotFolder, snapshotPath } from '../../../files/hub-cache';
import { PIPELINE_INDEX } from '../../../files/model-path';
import { cachedInfo, referenceTo } from '../../../hub/cache';
import { chooseModelFiles, type ModelFiles, onnxIn } from '../../../hub/choose-files';
import type { Hub } from '../../../hub/hub-client';
import type { RepoInfo } from '../../../hub/types';
import type { ModelVerdict } from '../../../protocol/hub';
import { hubModelRepo } from '../../../recipes/model-shapes';
import { threadCount } from '../../command';
import { temporaryFolder } from '../../temporary';
import { described, missingOf, type Plan } from './download-plan';

export interface ModelChoice {
  /** A branch, a tag or a commit; main by default. */
  revision?: string;
  /** The commit that the revision named when it was shown. */
  commit?: string;
  /** An ONNX file of the repository. */
  file?: string;
}

/** A plan with the paths that an experiment has to name beside the model. */
export interface ModelPlan extends Plan {
  beside: { tokenizer?: string; preprocessor?: string };
}

/**
 * The plan to download the files of a model that training needs, with the cost of training it. Files that are in the
 * cache at a commit need no request.
 */
export async function planModel(
  hub: Hub,
  named: string,
  { revision = 'main', commit, file }: ModelChoice,
): Promise<ModelPlan> {
  // This also works without the network, where the current name of a repository is unknown.
  const name = hubModelRepo(named) ?? named;
  const local = wholeInCache(hub, name, commit ?? revision, file);
  if (!local && hub.settings.offline)
    throw new AuroraError(
      'network',
      `Offline mode is on, and the model ${name} is not complete in ${hub.settings.cache}.`,
      'Unset HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE to download it.',
    );
  const info = { ...(local?.info ?? (await hub.info('model', name, commit ?? revision))), revision };
  const chosen = local?.chosen ?? chooseModelFiles(info.id, info.files, file);
  const paths = chosen.files.map(({ path }) => path);
  const missing = await missingOf(hub, info, paths);
  const at = (path: string) => ({
    reference: hubReferenceText(referenceTo(info, path)),
    path: snapshotPath(hub.settings.cache, referenceTo(info, path)),
  });
  // Others are found beside the model.
  const apart = (path: string | undefined) =>
    chosen.model.includes('/') && path !== undefined && !path.includes('/') ? path : undefined;
  const [tokenizer, preprocessor] = [apart(chosen.tokenizer), apart(chosen.preprocessor)];
  return {
    info,
    paths,
    missing,
    shown: {
      kind: 'model',
      ...(await described(hub, info, paths, missing)),
      verdict: orAsOnnx(await verdictOf(hub, info, chosen, missing), info, chosen),
    },
    got: () =>
      Promise.resolve([
        at(chosen.model),
        ...[tokenizer, preprocessor].flatMap((path) => (path ? [at(path)] : [])),
      ]),
    beside: {
      tokenizer: tokenizer && at(tokenizer).path,
      preprocessor: preprocessor && at(preprocessor).path,
    },
  };
}

/** A model that is whole in the cache, at a commit, or at the last known one when no request may be made. */
function wholeInCache(hub: Hub, name: string, revision: string, file: string | undefined) {
  if (!isCommit(revision) && !hub.settings.offline) return undefined;
  const info = cachedInfo(hub.settings.cache, 'model', name, revision);
  try {
    const chosen = info && chooseModelFiles(name, info.files, file);
    return chosen && isWhole(hub, info, chosen) ? { info, chosen } : undefined;
  } catch (e) {
    // Without weights, or with a damaged index.
    if (e instanceof AuroraError || e instanceof SyntaxError) return undefined;
    throw e;
  }
}

/** Other programs may have downloaded only a part. */
function isWhole({ settings }: Hub, info: RepoInfo, { files, weights, ...chosen }: ModelFiles): boolean {
  if (chosen.tokenizer === undefined && chosen.preprocessor === undefined) return false;
  const read = (path: string): unknown =>
    JSON.parse(readFileSync(snapshotPath(settings.cache, referenceTo(info, path)), 'utf8'));
  const paths = files.map(({ path }) => path);
  const isAll = (index: string): boolean => {
    const { weight_map: map = {} } = read(index) as { weight_map?: Record<string, string> };
    return Object.values(map).every((path) => weights.includes(posix.join(posix.dirname(index), path)));
  };
  return (
    paths.filter((path) => path.endsWith('.index.json')).every(isAll) &&
    (!paths.includes(PIPELINE_INDEX) || hasSecondEncoder(read(PIPELINE_INDEX), paths))
  );
}

/** The only optional component of a pipeline: its index states if it has one. */
function hasSecondEncoder(index: unknown, paths: readonly string[]): boolean {
  // The library of a component that was left out is null.
  const library = (index as { text_encoder_2?: (string | null)[] }).text_encoder_2?.[0];
  const folders = ['text_encoder_2/', 'tokenizer_2/'];
  return library == null || folders.every((folder) => paths.some((path) => path.startsWith(folder)));
}

/** The verdict, with another way to use the repository where its folder cannot be: an ONNX file in it. */
function orAsOnnx(verdict: ModelVerdict, info: RepoInfo, { model }: ModelFiles): ModelVerdict {
  if (verdict.usable !== false || model !== '') return verdict;
  const onnx = onnxIn(info.files);
  return onnx === undefined
    ? verdict
    : { ...verdict, hint: `The repository has an ONNX file too: get it with --file ${onnx}.` };
}

async function verdictOf(
  hub: Hub,
  info: RepoInfo,
  { model, files, weights }: ModelFiles,
  missing: readonly string[],
): Promise<ModelVerdict> {
  const options = {
    name: info.id,
    rates: () =>
      machineRates({
        threads: threadCount(undefined),
        program: join(__dirname, 'cli.cjs'),
        folder: () => temporaryFolder('rates'),
        measure: 'once',
      }),
  };
  if (missing.length === 0) {
    const folder = snapshotFolder(hub.settings.cache, referenceTo(info, ''));
    return modelVerdict(join(folder, model), options);
  }
  if (weights.some((path) => path.endsWith('.onnx')))
    return { usable: 'unknown', problem: 'What an ONNX file offers is known when it has been downloaded.' };
  const folder = temporaryFolder('headers');
  const read: ReadRange = (path, start, end) =>
    hub.range({ repo: info, file: info.files.find((f) => f.path === path)! }, start, end);
  const structure = {
    texts: files.filter(({ path }) => isStructure(path)),
    weights: files.filter(({ path }) => weights.includes(path)),
  };
  try {
    await writeHeadersOnly(folder, structure, read);
  } catch (e) {
    // A mirror without ranges, or a temporary folder that is full: the model can be downloaded all the same.
    if (!(e instanceof AuroraError) || (e.kind !== 'network' && e.kind !== 'disk')) throw e;
    return { usable: 'unknown', problem: `What it offers is not known before the download: ${e.message}` };
  }
  return modelVerdict(folder, options);
}
