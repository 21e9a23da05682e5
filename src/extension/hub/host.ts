import { readStoredText } from '../../files/read';
import type { HubKind } from '../../experiment/hub-reference';
import { cleanToken, tokenPlace } from '../../files/hub-cache';

/** The host that answers requests to the hub: a mirror, if the environment of the editor names one. */
export function hubHost(env: NodeJS.ProcessEnv = process.env): string {
  const endpoint = env.HF_ENDPOINT || HUB;
  return URL.canParse(endpoint) ? new URL(endpoint).host : endpoint;
}

/** A page of the hub for the user's browser. */
export const hubPage = (path: string, env: NodeJS.ProcessEnv = process.env): string =>
  `${(env.HF_ENDPOINT || HUB).replace(/\/+$/, '')}/${path}`;

/** The page of a repository. */
export const pageOf = (kind: HubKind, id: string): string =>
  hubPage(kind === 'model' ? id : `datasets/${id}`);

const HUB = 'https://huggingface.co';

/** True if programs that ask the hub find a token, apart from the one that is stored in the editor. */
export async function environmentHasToken(env: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  const place = tokenPlace(env);
  if (place === undefined || 'token' in place) return place !== undefined;
  const text = await readStoredText(place.file).catch(() => undefined);
  return cleanToken(text) !== undefined;
}
