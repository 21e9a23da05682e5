import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import type { Dispatcher } from 'undici';
import { AuroraError } from '../../base/errors';
import type { HubSettings } from '../settings';

/**
 * Connections through the environment's proxies, with its certificates. Node's own fetch has no proxies before Node 24.
 *
 * @param stallMs a server that sends nothing for this long is given up
 * @throws AuroraError 'usage' if a file of certificates cannot be read, or a proxy's address
 */
export async function dispatcher(
  { proxies, certificates }: HubSettings,
  stallMs: number,
): Promise<Dispatcher> {
  const { EnvHttpProxyAgent } = await import('../packages');
  const ca = trusted(certificates);
  for (const proxy of [proxies.http, proxies.https]) requireProxy(proxy);
  return new EnvHttpProxyAgent({
    // An empty string, since undici would otherwise read this process's variables.
    httpProxy: proxies.http ?? '',
    httpsProxy: proxies.https ?? '',
    noProxy: proxies.except ?? '',
    headersTimeout: stallMs,
    bodyTimeout: stallMs,
    connect: { timeout: stallMs, ...ca },
    requestTls: { timeout: stallMs, ...ca },
    proxyTls: { timeout: stallMs, ...ca },
  });
}

/** Without files, the certificates that Node trusts already, NODE_EXTRA_CA_CERTS included; a list replaces those. */
function trusted(certificates: HubSettings['certificates']): { ca?: string[] } {
  const more = certificates.map(({ variable, path }) => {
    try {
      return readFileSync(path, 'utf8');
    } catch (e) {
      throw new AuroraError(
        'usage',
        `${variable} names ${path}, which cannot be read (${(e as NodeJS.ErrnoException).code}).`,
        `Correct ${variable}, or unset it.`,
      );
    }
  });
  return more.length > 0 ? { ca: [...rootCertificates, ...more] } : {};
}

/** The message does not repeat the address, which may have a password. */
function requireProxy(address: string | undefined): void {
  const url = address !== undefined && URL.canParse(address) ? new URL(address) : undefined;
  if (address === undefined || (url && /^(https?|socks5?):$/.test(url.protocol))) return;
  throw new AuroraError(
    'usage',
    'The address of the proxy cannot be read.',
    'Set "http.proxy" in VS Code, or HTTP_PROXY and HTTPS_PROXY in a terminal, to http://HOST:PORT.',
  );
}
