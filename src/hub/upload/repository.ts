import { AuroraError } from '../../base/errors';
import type { Hub } from '../client';
import type { RepoInfo } from '../types';
import { askHub } from './ask';

/** A model's repository as it is on its main branch; undefined if there is none that this token can see. */
export async function findRepository(hub: Hub, id: string): Promise<RepoInfo | undefined> {
  try {
    return await hub.info('model', id);
  } catch (e) {
    if (e instanceof AuroraError && e.kind === 'usage') return undefined;
    throw e;
  }
}

/**
 * Creates an empty repository, as `create_repo` in hf_api.py of huggingface_hub and create-repo.ts of huggingface.js do.
 *
 * @throws AuroraError 'gated' if the token may not, 'usage' if it exists, 'network'
 */
export async function createRepository(hub: Hub, id: string, isPrivate: boolean): Promise<RepoInfo> {
  const [organization, name] = id.split('/');
  const visibility = isPrivate ? 'private' : 'public';
  const body = { type: 'model', name, organization, visibility };
  try {
    await askHub(hub, '/api/repos/create', { body, what: `the new repository ${id}` });
  } catch (e) {
    // A first request whose answer was lost may have created it.
    const found = await findRepository(hub, id).catch(() => undefined);
    if (!found || found.private !== isPrivate || !isEmpty(found)) throw e;
    return found;
  }
  const made = await hub.info('model', id);
  if (made.private || !isPrivate) return made;
  throw new AuroraError(
    'network',
    `${hub.http.endpoint.host} created ${id} as a public repository, and not as a private one. Nothing was uploaded.`,
    'Make it private on its page and run the command again, or publish with --public.',
  );
}

/** The hub puts .gitattributes into new repositories; people and its website, a card and a license. */
const BESIDE = /^(\.gitattributes|\.gitignore|readme\.md|licen[cs]e(\.(md|txt))?)$/i;

export const isEmpty = ({ files }: RepoInfo): boolean => files.every(({ path }) => BESIDE.test(path));

/** True if a repository has an adapter_config.json where PEFT reads it. */
export const holdsAdapter = ({ files }: RepoInfo): boolean =>
  files.some(({ path }) => path === 'adapter_config.json');

/** The files that are there and belong to no adapter: of a model, of an application. */
export const otherFiles = ({ files }: RepoInfo): string[] =>
  files.map(({ path }) => path).filter((path) => !BESIDE.test(path));
