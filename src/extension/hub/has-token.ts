import { readFile } from 'node:fs/promises';
import { cleanToken, tokenPlace } from '../../files/hub-cache';

/** True if programs that ask the hub find a token, apart from the one that is stored in the editor. */
export async function environmentHasToken(env: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  const place = tokenPlace(env);
  if (place === undefined || 'token' in place) return place !== undefined;
  const text = await readFile(place.file, 'utf8').catch(() => undefined);
  return cleanToken(text) !== undefined;
}
