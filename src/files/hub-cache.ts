import { homedir } from 'node:os';
import { dirname, join, relative, resolve, sep } from 'node:path';
import {
  hubReferenceText,
  parseHubReference,
  referenceOf,
  type HubReference,
} from '../experiment/hub-reference';

/**
 * The files of the Hugging Face hub on this machine: in its own cache, which Python's libraries share.
 * https://huggingface.co/docs/hub/local-cache and huggingface_hub/constants.py
 */

export type CacheEnvironment = Readonly<Partial<Record<string, string>>>;

/** HF_HOME: the cache's folder, and other files of Hugging Face's libraries for a user, such as the token. */
export function hubHome(env: CacheEnvironment = process.env, home = homedir()): string {
  if (env.HF_HOME) return resolve(expanded(env.HF_HOME, env, home));
  return join(
    env.XDG_CACHE_HOME ? expanded(env.XDG_CACHE_HOME, env, home) : join(home, '.cache'),
    'huggingface',
  );
}

/** HF_HUB_CACHE, on every system. */
export function hubCacheFolder(env: CacheEnvironment = process.env, home = homedir()): string {
  const named = env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE;
  return named ? resolve(expanded(named, env, home)) : join(hubHome(env, home), 'hub');
}

/** Expands a path as Python's expanduser and expandvars do. */
export const expanded = (path: string, env: CacheEnvironment, home = homedir()): string =>
  path
    .replace(/^~(?=$|[\\/])/, () => home)
    .replace(
      /\$(?:\{(\w+)\}|(\w+))/g,
      (whole, braced?: string, plain?: string) => env[braced ?? plain!] ?? whole,
    );

/** Reads a variable that turns something on as huggingface_hub does. */
export const isTrue = (value = ''): boolean => ['1', 'ON', 'YES', 'TRUE'].includes(value.toUpperCase());

/** The place of the user's hub token: the variables first, then the file that `hf auth login` writes. */
export function tokenPlace(
  env: CacheEnvironment = process.env,
  home = homedir(),
): { token: string } | { file: string } | undefined {
  const token = cleanToken(env.HF_TOKEN) ?? cleanToken(env.HUGGING_FACE_HUB_TOKEN);
  if (token !== undefined) return { token };
  if (isTrue(env.HF_HUB_DISABLE_IMPLICIT_TOKEN)) return undefined;
  const named = env.HF_TOKEN_PATH;
  return { file: named ? expanded(named, env, home) : join(hubHome(env, home), 'token') };
}

/** Without line ends, which get into tokens where people paste them. Undefined if nothing is left. */
export const cleanToken = (token: string | undefined): string | undefined =>
  token?.replace(/[\r\n]/g, '').trim() || undefined;

/** The folder of a repository: `models--ORG--NAME`. */
export const repoFolder = (cache: string, { kind, repo }: Pick<HubReference, 'kind' | 'repo'>): string =>
  join(cache, `${kind}s--${repo.replaceAll('/', '--')}`);

/** The folder with a commit's files under their own names. */
export const snapshotFolder = (cache: string, ref: Omit<HubReference, 'path'>): string =>
  join(repoFolder(cache, ref), 'snapshots', ref.revision);

/** The path of a reference's file or folder, downloaded or not. */
export const snapshotPath = (cache: string, ref: HubReference): string =>
  join(snapshotFolder(cache, ref), ...ref.path.split('/').filter((part) => part !== ''));

/** The reference of a path in this machine's cache, which leads back to the path; undefined for any other path. */
export function ownReferenceOf(path: string): HubReference | undefined {
  const ref = referenceOf(path);
  return ref && snapshotPath(hubCacheFolder(), ref) === resolve(path) ? ref : undefined;
}

/**
 * The absolute path of a file in an experiment: a path relative to the experiment's folder, or a reference to the hub.
 */
export function localPath(folder: string, written: string): string {
  const ref = parseHubReference(written);
  return ref ? snapshotPath(hubCacheFolder(), ref) : resolve(folder, written);
}

/**
 * `path` as an experiment names it: relative to the folder of `file`, with forward slashes; absolute if they share no
 * root (drives). A file in the hub's cache is named by its reference, which leads to the same bytes on every machine.
 */
export function writtenPath(file: string, path: string): string {
  const ref = ownReferenceOf(path);
  return ref ? hubReferenceText(ref) : relative(dirname(file), path).split(sep).join('/');
}
