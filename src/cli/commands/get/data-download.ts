import { basename, dirname } from 'node:path/posix';
import { AuroraError } from '../../../base/errors';
import { describedColumns } from '../../../data/table/described-columns';
import { hubReferenceText } from '../../../experiment/hub-reference';
import { snapshotPath } from '../../../files/hub-cache';
import { hasWildcard, matching } from '../../../files/pattern';
import { referenceTo } from '../../../hub/cache';
import type { Hub } from '../../../hub/hub-client';
import { CONVERTED, type ConvertedSplit, convertedSplits, splitPath } from '../../../hub/parquet-conversion';
import type { RepoInfo } from '../../../hub/types';
import type { GotReference, HubSplit } from '../../../protocol/hub';
import { hubSet } from '../../../recipes/data/hub-sets';
import { textAtTerminal } from '../../owning';
import { described, missingOf, type Plan } from './download-plan';

export interface DataChoice {
  revision?: string;
  /** The commit that the revision named when it was shown. */
  commit?: string;
  config?: string;
  /** The configuration, if there is one of this name. */
  preferred?: string;
  /** All of them by default. */
  splits: readonly string[];
  /** Set to ask for them in a terminal. */
  ask?: boolean;
  /** Only these of all of them, as far as they exist. */
  needed?: readonly string[];
  /** Files of the repository itself, by path or pattern, instead of the hub's conversion. */
  files: readonly string[];
  /** True if a configuration that is not known may be chosen later: the plan then has no splits. */
  open?: boolean;
}

/** The plan to download a data set: splits of one configuration, as the hub has converted them, or files by name. */
export async function planData(hub: Hub, name: string, choice: DataChoice): Promise<Plan> {
  const set = hubSet(name);
  const repo = set?.repo ?? name;
  const own = choice.files.length > 0;
  const revision = choice.revision ?? (own ? 'main' : CONVERTED);
  // The files of a commit that are in the cache do not show which others it has.
  const info = { ...(await infoOf(hub, repo, choice.commit ?? revision, own)), revision };
  const all = convertedSplits(info.files);
  const configs = [...new Set(all.map(({ config }) => config))];
  const config = choice.config ?? usual(set?.config ?? choice.preferred, configs);
  const splits = own
    ? choice.files.map((path) => namedFiles(info, path))
    : choice.open && configs.length > 0 && config === undefined
      ? []
      : await splitsOf(info, all, choice, config);
  const paths = splits.flatMap(({ files }) => files.map(({ path }) => path));
  const missing = await missingOf(hub, info, paths);
  const shown = splits.map((split) => shownSplit(info, split));
  return {
    info,
    paths,
    missing,
    shown: {
      kind: 'data',
      ...(await described(hub, info, paths, missing, await aboutOf(hub, info, own || missing.length === 0))),
      config: splits[0]?.config ?? '',
      splits: shown,
      configs,
    },
    got: () => Promise.all(splits.map((split) => gotSplit(hub, info, split))),
  };
}

async function infoOf(hub: Hub, repo: string, revision: string, own: boolean): Promise<RepoInfo> {
  try {
    return await hub.info('dataset', repo, revision);
  } catch (e) {
    if (own || revision !== CONVERTED || !(e instanceof AuroraError) || e.kind !== 'usage') throw e;
    // It may exist all the same.
    const { files } = await hub.info('dataset', repo);
    throw notConverted(
      repo,
      files.map(({ path }) => path),
    );
  }
}

/** The repository with the card: the branch that the hub has converted has none, so it is on the main branch. */
async function aboutOf(hub: Hub, info: RepoInfo, whole: boolean): Promise<RepoInfo> {
  if (whole || hub.settings.offline) return info;
  try {
    return await hub.info('dataset', info.id, 'main', { deep: false });
  } catch (e) {
    // It is not needed to download anything.
    if (e instanceof AuroraError) return info;
    throw e;
  }
}

const DATA = /\.(parquet|csv|tsv|jsonl?|conll)(\.gz)?$/;

const notConverted = (repo: string, paths: readonly string[]): AuroraError => {
  const data = paths.filter((path) => DATA.test(path));
  return new AuroraError(
    'data',
    `The hub has not converted ${repo} to Parquet files: it does so for public data sets without a script.`,
    data.length === 0
      ? 'It has no files in a format that is read here.'
      : `Name its own files with --file, as a path or a pattern: ${data.slice(0, 5).join(', ')}${data.length > 5 ? ', …' : ''}.`,
  );
};

/** The paper's configuration, unless it is called otherwise by now and is the only one. */
const usual = (config: string | undefined, configs: readonly string[]): string | undefined =>
  config !== undefined && configs.includes(config) ? config : configs.length === 1 ? configs[0] : undefined;

async function configOf(
  { id }: RepoInfo,
  configs: readonly string[],
  chosen: string | undefined,
): Promise<string> {
  if (configs.length === 0) throw notConverted(id, []);
  const answer = chosen ?? (await textAtTerminal(`Configuration of ${id} (${listed(configs)}):`));
  if (answer !== undefined && configs.includes(answer)) return answer;
  throw new AuroraError(
    'usage',
    answer === undefined
      ? `${id} has ${configs.length} configurations, and this is not an interactive terminal.`
      : `${id} has no configuration "${answer}".`,
    `Choose one with --config: ${listed(configs)}.`,
  );
}

async function splitsOf(
  info: RepoInfo,
  all: readonly ConvertedSplit[],
  { splits: named, needed, ask }: DataChoice,
  chosen: string | undefined,
): Promise<ConvertedSplit[]> {
  const config = await configOf(info, [...new Set(all.map((split) => split.config))], chosen);
  const splits = all.filter((split) => split.config === config);
  const names = splits.map(({ split }) => split);
  const asked = named.length === 0 && ask ? await splitsAtTerminal(names) : undefined;
  const wanted = named.length > 0 ? named : (needed ?? asked ?? names);
  const unknown = needed ? undefined : wanted.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new AuroraError(
      'usage',
      `${info.id} has no split "${unknown}" in ${config}.`,
      `Its splits are ${listed(names)}.`,
    );
  return splits.filter(({ split }) => wanted.includes(split));
}

/** Enter alone takes all of them. */
async function splitsAtTerminal(names: readonly string[]): Promise<readonly string[] | undefined> {
  const answer = await textAtTerminal(`Splits [${names.join(', ')}]:`);
  return answer === undefined || answer === '' ? undefined : answer.split(/[\s,]+/);
}

/** Files of the repository by a path or a pattern, as one split. */
export function namedFiles({ id, files: all }: RepoInfo, path: string): ConvertedSplit {
  const folder = dirname(path);
  const beside = new Map(
    all.filter((file) => dirname(file.path) === folder).map((file) => [basename(file.path), file]),
  );
  const inside = all.filter((file) => file.path.startsWith(`${path}/`));
  const files = hasWildcard(path)
    ? matching(path, [...beside.keys()]).map((name) => beside.get(name)!)
    : [...all.filter((file) => file.path === path), ...inside];
  if (files.length > 0) return { config: '', split: path, partial: false, files };
  const data = all.map((file) => file.path).filter((name) => DATA.test(name));
  throw new AuroraError(
    'usage',
    `${id} has no file ${path}.`,
    `Its data files are ${listed(data) || 'none'}.`,
  );
}

const referencePath = (split: ConvertedSplit): string =>
  split.config === '' ? split.split : splitPath(split);

function shownSplit(info: RepoInfo, split: ConvertedSplit): HubSplit {
  return {
    name: split.split,
    reference: hubReferenceText(referenceTo(info, referencePath(split))),
    files: split.files.length,
    size: split.files.reduce((sum, { size }) => sum + size, 0),
    ...(split.partial && { partial: true }),
  };
}

/** With the columns that the first file has, and the names of the labels in them. */
async function gotSplit({ settings }: Hub, info: RepoInfo, split: ConvertedSplit): Promise<GotReference> {
  const ref = referenceTo(info, referencePath(split));
  const path = snapshotPath(settings.cache, ref);
  const named = { reference: hubReferenceText(ref), path, split: split.split };
  if (!path.endsWith('.parquet')) return named;
  const { columns, labelNames } = await describedColumns(path);
  return {
    ...named,
    columns: columns.map((name) => {
      const labels = labelNames(name);
      return { name, labels };
    }),
  };
}

const listed = (names: readonly string[]): string =>
  names.slice(0, 20).join(', ') + (names.length > 20 ? ` and ${names.length - 20} more` : '');
