import { AuroraError } from '../../base/errors';
import type { Hub } from '../hub-client';
import { WITHHELD_HINT } from '../http/http-failure';
import { strange } from '../hub-api';
import type { RepoInfo } from '../types';
import { askHub } from './refusal';

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

/** The files of an adapter where PEFT and diffusers read them. */
const ADAPTER_FILES = ['adapter_config.json', 'pytorch_lora_weights.safetensors'];

export const holdsAdapter = ({ files }: RepoInfo): boolean =>
  files.some(({ path }) => ADAPTER_FILES.includes(path));

/** The files that are there and belong to no adapter: of a model, of an application. */
export const otherFiles = ({ files }: RepoInfo): string[] =>
  files.map(({ path }) => path).filter((path) => !BESIDE.test(path));

/** The owner of a token. */
export interface Account {
  name: string;
  /** Names under which it may have repositories: its own first, then its organizations'. */
  owners: string[];
}

/**
 * The account of a token, as `whoami` in hf_api.py of huggingface_hub and who-am-i.ts of huggingface.js read it. The
 * role of a token is read, write, or fineGrained, whose rights show only when they are used.
 *
 * @throws AuroraError 'gated' without a token that may write, 'network'
 */
export async function accountOf(hub: Hub): Promise<Account> {
  const { endpoint, token, offline } = hub.settings;
  const make = `Create one with write access at ${endpoint}/settings/tokens`;
  if (token === undefined && !offline)
    throw new AuroraError(
      'gated',
      'Publishing needs an access token of the hub, and there is none.',
      `${make}, then set HF_TOKEN to it, run \`hf auth login\`, or sign in in the editor.`,
    );
  if (hub.http.withholds)
    throw new AuroraError(
      'gated',
      `${endpoint} is not encrypted, so the access token is not sent to it.`,
      WITHHELD_HINT,
    );
  const { name, orgs, auth } = await askHub(hub, '/api/whoami-v2', {
    what: 'the name of your account',
  });
  if (typeof name !== 'string') throw strange('it does not say whose token it is');
  const { role } = (auth as { accessToken?: { role?: unknown } } | undefined)?.accessToken ?? {};
  if (role === 'read') throw new AuroraError('gated', `The token of ${name} may only read.`, `${make}.`);
  const named = Array.isArray(orgs) ? orgs.map((org: { name?: unknown } | null) => org?.name) : [];
  return { name, owners: [name, ...named.filter((each) => typeof each === 'string')] };
}
