/**
 * A file, or a whole repository, of the Hugging Face hub at one commit, as experiments name it:
 * `hf://ORG/NAME@COMMIT[/path]` for a model, `hf://datasets/ORG/NAME@COMMIT/path` for data. The form is that of
 * huggingface_hub's HfFileSystem (https://huggingface.co/docs/huggingface_hub/guides/hf_file_system), but the revision is
 * required and is a commit: a branch would name other bytes tomorrow.
 */
export interface HubReference {
  kind: HubKind;
  /** "FacebookAI/roberta-base"; a few old ones have no organisation. */
  repo: string;
  /** The 40 hexadecimal digits of the commit. */
  revision: string;
  /** In the repository, with forward slashes; its last part may be a pattern. Empty for the repository itself. */
  path: string;
}

export type HubKind = 'model' | 'dataset';

const SCHEME = 'hf://';
const DATASETS = 'datasets/';

/** True for a string that is meant as a reference, with or without mistakes. */
export const isHubReference = (text: string): boolean => text.startsWith(SCHEME);

/** Undefined for any other string, and for a reference with mistakes, which `hubReferenceProblem` explains. */
export function parseHubReference(text: string): HubReference | undefined {
  const parts = partsOf(text);
  return parts && problemOf(parts) === undefined ? { ...parts, revision: parts.revision! } : undefined;
}

export const hubReferenceText = ({ kind, repo, revision, path }: HubReference): string =>
  `${repoReferenceText(kind, repo)}@${revision}${path === '' ? '' : `/${path}`}`;

const repoReferenceText = (kind: HubKind, repo: string): string =>
  `${SCHEME}${kind === 'dataset' ? DATASETS : ''}${repo}`;

/**
 * The mistake in a string that is meant as a reference, without a full stop: to be put behind "… is "TEXT"". Undefined
 * for a reference, and for a string that is not meant as one.
 *
 * @param kind the kind that the place takes
 */
export function hubReferenceProblem(text: string, kind: HubKind): string | undefined {
  const parts = partsOf(text);
  if (!parts) return undefined;
  if (kind !== parts.kind)
    return kind === 'model'
      ? 'which is a data set: a model is hf://ORG/NAME@COMMIT'
      : 'which is a model: a data set is hf://datasets/ORG/NAME@COMMIT/FILE';
  return problemOf(parts);
}

/**
 * The rules of huggingface_hub's validate_repo_id: no "--", which separates the parts of a folder's name in the cache,
 * and no "..".
 */
const REPO = /^(?:\w[\w.-]{0,95}\/)?\w[\w.-]{0,95}$/;
export const isRepoName = (name: string): boolean =>
  REPO.test(name) && !/--|\.\.|[.-]$|[.-]\/|\.git$/.test(name);

const COMMIT = /^[0-9a-f]{40}$/;
export const isCommit = (revision: string): boolean => COMMIT.test(revision);

/** The parts as written; the revision is undefined if there is none. */
type Parts = Omit<HubReference, 'revision'> & { revision: string | undefined };

function partsOf(text: string): Parts | undefined {
  if (!isHubReference(text)) return undefined;
  const rest = text.slice(SCHEME.length);
  const kind = rest.startsWith(DATASETS) ? 'dataset' : 'model';
  const name = kind === 'dataset' ? rest.slice(DATASETS.length) : rest;
  const at = name.indexOf('@');
  if (at < 0) {
    const [org, own, ...path] = name.split('/');
    return {
      kind,
      repo: own === undefined ? org : `${org}/${own}`,
      revision: undefined,
      path: path.join('/'),
    };
  }
  const [revision, ...path] = name.slice(at + 1).split('/');
  return { kind, repo: name.slice(0, at), revision, path: path.join('/') };
}

function problemOf({ kind, repo, revision, path }: Parts): string | undefined {
  if (!isRepoName(repo)) return `in which "${repo}" is not the name of a repository, such as ORG/NAME`;
  if (revision === undefined || !isCommit(revision))
    return `${revision === undefined ? 'without a commit' : `in which "${revision}" is not a commit`}: what a branch or tag names can change. \`aurora get ${kind === 'dataset' ? 'data' : 'model'} ${repo}\` prints the reference with its commit`;
  if (path === '')
    return kind === 'dataset' ? 'which names no file: add its path in the repository' : undefined;
  // A name of the hub becomes a path on this machine.
  if (/[\\:\0]/.test(path) || path.split('/').some((part) => part === '' || part === '.' || part === '..'))
    return `in which "${path}" is not a path in a repository`;
  return undefined;
}

/**
 * The reference that a path in a hub cache stands for (`models--ORG--NAME/snapshots/COMMIT/path`); undefined for any
 * other path.
 *
 * @param path with the separators of any platform
 */
export function referenceOf(path: string): HubReference | undefined {
  const parts = path.replaceAll('\\', '/').split('/');
  for (let at = parts.length - 2; at > 0; at--) {
    if (parts[at] !== 'snapshots' || !isCommit(parts[at + 1])) continue;
    const [, kind, name] = /^(model|dataset)s--(.+)$/.exec(parts[at - 1]) ?? [];
    const repo = name?.replace('--', '/');
    if (repo === undefined || !isRepoName(repo)) continue;
    const inside = parts.slice(at + 2).filter((part) => part !== '');
    return { kind: kind as HubKind, repo, revision: parts[at + 1], path: inside.join('/') };
  }
  return undefined;
}

/** A short name for a path in a cache: "roberta-base", "glue/rte/train"; undefined for any other path. */
export function hubName(path: string): string | undefined {
  const ref = referenceOf(path);
  if (!ref) return undefined;
  const name = ref.repo.slice(ref.repo.indexOf('/') + 1);
  // Files are numbered, and their folders are the configuration and the split.
  const folders = ref.kind === 'dataset' ? ref.path.split('/').slice(0, -1) : [];
  return [name, ...folders].join('/');
}
