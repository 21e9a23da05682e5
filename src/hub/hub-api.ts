import { AuroraError } from '../base/errors';
import { type HubKind, isCommit, isRepoName } from '../experiment/hub-reference';
import { containedName } from '../files/contained';
import type { FoundRepo, HubFile, RepoFile, RepoInfo } from './types';

/** The addresses of hf_hub_url in file_download.py, and of hf_api.py, of huggingface_hub. */

/** "https://huggingface.co/api/models/FacebookAI/roberta-base/revision/main". */
export const infoAddress = (endpoint: string, kind: HubKind, repo: string, revision: string): string =>
  `${endpoint}/api/${kind}s/${repo}/revision/${encodeURIComponent(revision)}`;

/** All files of a commit, or those that are in no folder, in pages. */
export const treeAddress = (
  endpoint: string,
  kind: HubKind,
  repo: string,
  commit: string,
  deep: boolean,
): string => `${endpoint}/api/${kind}s/${repo}/tree/${commit}${deep ? '?recursive=true' : ''}`;

/** Answers with the file, or redirects to where it is stored. */
export const fileAddress = (endpoint: string, { repo, file }: HubFile): string =>
  `${pageAddress(endpoint, repo.kind, repo.id)}/resolve/${repo.commit}/${file.path.split('/').map(encodeURIComponent).join('/')}`;

/** The page for people. */
export const pageAddress = (endpoint: string, kind: HubKind, repo: string): string =>
  `${endpoint}/${kind === 'dataset' ? 'datasets/' : ''}${repo}`;

/** "the model FacebookAI/roberta-base". */
export const repoWords = (kind: HubKind, repo: string): string =>
  `the ${kind === 'dataset' ? 'data set' : 'model'} ${repo}`;

/**
 * The hub's answers, as hf_api.py of huggingface_hub reads them (ModelInfo, DatasetInfo, RepoFile). Nothing in them is
 * trusted: names become paths on this machine.
 */

type Fields = Readonly<Record<string, unknown>>;

/** The fields of a search that `foundRepo` reads; the hub sends only those that are asked for. */
export const SEARCH_FIELDS = [
  'downloads',
  'likes',
  'lastModified',
  'gated',
  'private',
  'tags',
  'usedStorage',
];

export function foundRepo(kind: HubKind, answer: unknown): FoundRepo | undefined {
  const a = fields(answer);
  if (typeof a.id !== 'string' || !isRepoName(a.id)) return undefined;
  return {
    kind,
    id: a.id,
    ...described(a),
    downloads: number(a.downloads) ?? 0,
    likes: number(a.likes) ?? 0,
    changed: text(a.lastModified),
    size: number(a.usedStorage),
    ...access(a),
  };
}

/**
 * A repository is called as it was asked for, also if it has been renamed: its folder in the cache is that of its name, as
 * in huggingface_hub.
 *
 * @param at the address that has answered, after redirects: those of a renamed repository lead to its new name
 * @throws AuroraError 'network' if it is not the answer of a hub, or about another repository
 */
export function repoInfo(
  kind: HubKind,
  repo: string,
  revision: string,
  answer: unknown,
  at: URL,
): Omit<RepoInfo, 'files'> {
  const a = fields(answer);
  const commit = text(a.sha);
  if (commit === undefined || !isCommit(commit))
    throw strange(`its description of ${revision} names no commit`);
  if (typeof a.id !== 'string' || !isRepoName(a.id))
    throw strange(`its description of ${revision} names the repository ${JSON.stringify(a.id)}`);
  const isRenamed = at.pathname.includes(`/api/${kind}s/${a.id}/revision/`);
  if (a.id.toLowerCase() !== repo.toLowerCase() && !isRenamed)
    throw strange(`asked for ${repo}, it describes ${a.id}`);
  if (isCommit(revision) && commit !== revision)
    throw strange(`asked for the commit ${revision} of ${repo}, it describes ${commit}`);
  return { kind, id: repo, revision, commit, ...described(a), ...access(a) };
}

/**
 * A page of a listing; folders are left out.
 *
 * @throws AuroraError 'network' if a file has no size or hash, or has a name that cannot be a path here
 */
export function repoFiles(answer: unknown, platform = process.platform): RepoFile[] {
  if (!Array.isArray(answer)) throw strange('its listing is not a list');
  return answer.map(fields).flatMap((entry) => {
    if (entry.type !== 'file') return [];
    const { path, size, oid } = entry;
    const lfs = fields(entry.lfs);
    const sha256 = text(lfs.oid);
    const xet = text(entry.xetHash);
    const named = typeof path === 'string' && containedName(path, platform) === path;
    if (!named) throw strange(`its listing names a file ${JSON.stringify(path)}`);
    const known = number(lfs.size) ?? number(size);
    const hashed = typeof oid === 'string' && /^[0-9a-f]{40}$/.test(oid);
    if (known === undefined || !hashed || (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256)))
      throw strange(`its listing states no size or hash of ${path}`);
    const large = sha256 !== undefined && { sha256 };
    return [{ path, size: known, gitSha1: oid, ...large, ...(xet && /^[0-9a-f]{64}$/.test(xet) && { xet }) }];
  });
}

/** The task and the licence: of a data set both are only tags. */
function described(a: Fields): Pick<RepoInfo, 'task' | 'licence'> {
  const tags = Array.isArray(a.tags) ? a.tags.filter((tag) => typeof tag === 'string') : [];
  const tagged = (prefix: string) => tags.find((tag) => tag.startsWith(prefix))?.slice(prefix.length);
  const { license } = fields(a.cardData);
  const task = text(a.pipeline_tag) ?? tagged('task_categories:');
  const licence = tagged('license:') ?? text(license);
  return { task, licence };
}

/** `gated` is false, "auto" or "manual". */
const access = (a: Fields) => ({
  gated: a.gated !== undefined && a.gated !== false,
  private: a.private === true,
});

const fields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};
const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
const number = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

export const strange = (what: string): AuroraError =>
  new AuroraError(
    'network',
    `The server is not a compatible hub: ${what}.`,
    'If HF_ENDPOINT names a mirror, check it.',
  );
