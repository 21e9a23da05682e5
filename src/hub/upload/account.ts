import { AuroraError } from '../../base/errors';
import { strange } from '../answers';
import type { Hub } from '../client';
import { WITHHELD_HINT } from '../http/failure';
import { askHub } from './ask';

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
