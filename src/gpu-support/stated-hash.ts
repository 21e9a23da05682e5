import { get } from 'node:https';

/** NuGet's own server: a mirror must serve the same bytes, so its own hashes do not count. */
const NUGET = 'https://api.nuget.org/v3';
const PACKAGE = /\/([^/]+)\/([^/]+)\/\1\.\2\.nupkg$/;

/** Requests for a hash rather than a download. */
export const asksForHash = (url: string): boolean => /\/v3\/(registration|catalog)\w*[-/]/.test(url);

/**
 * The SHA-512 (base64) that the publisher states for `url`: the catalog entry of a NuGet package. Undefined for
 * anything else, and if there is none or it cannot be read. Uses the process's own agents, and so its proxy.
 */
export async function statedHash(url: string): Promise<string | undefined> {
  const [, id, version] = PACKAGE.exec(new URL(url).pathname) ?? [];
  if (id === undefined) return undefined;
  try {
    const leaf = await json(`${NUGET}/registration5-semver1/${id}/${version}.json`);
    if (typeof leaf.catalogEntry !== 'string' || !leaf.catalogEntry.startsWith(`${NUGET}/`)) return undefined;
    const entry = await json(leaf.catalogEntry);
    const { packageHash, packageHashAlgorithm } = entry;
    return packageHashAlgorithm === 'SHA512' && typeof packageHash === 'string' ? packageHash : undefined;
  } catch {
    return undefined;
  }
}

const MOST_BYTES = 2 ** 20;
const LIMIT_MS = 30_000;

function json(url: string): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const request = get(url, { headers: { accept: 'application/json' } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('error', reject);
      response.on('data', (part: string) => {
        text += part;
        if (text.length > MOST_BYTES) request.destroy(new Error('too long'));
      });
      response.on('end', () => {
        try {
          if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
          resolve(JSON.parse(text) as Record<string, unknown>);
        } catch (e) {
          reject(e as Error);
        }
      });
    });
    request.setTimeout(LIMIT_MS, () => request.destroy(new Error('no answer')));
    request.on('error', reject);
  });
}
