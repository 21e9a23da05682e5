import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { rootCertificates } from 'node:tls';
import type { Dispatcher } from 'undici';
import { AuroraError } from '../../base/errors';
import type { HubSettings } from '../hub-settings';
import { connectionFailure, leastIn, paced } from './http-failure';

/** A server's answer, whatever its status. */
export interface Reply {
  status: number;
  /** The address of the last request, after redirects. */
  url: URL;
  /** True if it carried the token. */
  authorized: boolean;
  /** True if there is a token, and it was not sent because others could read it on the way. */
  withheld: boolean;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  header(name: string): string | undefined;
  /** Must be read, or given up with `discard`. */
  body: Readable;
}

export interface Send {
  method?: Dispatcher.HttpMethod;
  headers?: Record<string, string>;
  body?: string | StreamedBody;
  signal?: AbortSignal;
}

/** A body that is read while it is sent. */
export interface StreamedBody {
  /** Bytes; storage servers take no body of unknown length. */
  size: number;
  /** From the start; called again if a redirect asks for the body at another address. */
  open(): AsyncIterable<Uint8Array>;
}

/** A server that sends nothing for this long is given up. */
const STALL_MS = 30_000;
/** Some work on the request before they answer: a commit, or a file of many parts. */
const PATIENCE = 10;
const MOST_REDIRECTS = 5;

/**
 * The only code that makes requests. The token is added here and only for the endpoint's own origin, decided at each redirect, and
 * never where it would travel unencrypted: the hosts to which the hub redirects a file get signed addresses instead.
 */
export class Http {
  readonly endpoint: URL;
  /** The hosts that were contacted. */
  readonly hosts = new Set<string>();
  private connections: Promise<Dispatcher> | undefined;

  constructor(
    private readonly settings: HubSettings,
    private readonly stallMs = STALL_MS,
  ) {
    this.endpoint = endpointOf(settings.endpoint);
  }

  /**
   * True if the endpoint gets no token: anybody on the way could read it. Requests to this machine's own addresses have
   * no way.
   */
  get withholds(): boolean {
    const { protocol, hostname } = this.endpoint;
    const isOwn = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname) || hostname.endsWith('.localhost');
    return this.settings.token !== undefined && protocol === 'http:' && !isOwn;
  }

  /** The least that a server sends in the time after which a silent one is given up. */
  get least(): number {
    return leastIn(this.stallMs);
  }

  /**
   * Sends a request and follows redirects.
   *
   * @throws AuroraError 'network' in offline mode
   * @throws Failure without an answer
   */
  async send(address: string | URL, { method = 'GET', headers, body, signal }: Send = {}): Promise<Reply> {
    let url = new URL(address);
    const own = { ...headers };
    if (this.settings.offline)
      throw new AuroraError(
        'network',
        `Offline mode is on: nothing was requested from ${url.host}.`,
        'Unset HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE to use the network.',
      );
    for (let hops = 0; ; hops++) {
      const reply = await this.hop(url, { method, headers: own, body, signal });
      const location = reply.status >= 300 && reply.status < 400 ? reply.header('location') : undefined;
      // For the other statuses, browsers make a GET.
      const repeats = body === undefined || reply.status === 307 || reply.status === 308;
      if (location === undefined || !repeats) return reply;
      discard(reply);
      const next = new URL(location, url);
      const downgraded = url.protocol === 'https:' && next.protocol !== 'https:';
      if (hops === MOST_REDIRECTS || downgraded || !/^https?:$/.test(next.protocol))
        throw new AuroraError(
          'network',
          `${url.host} redirects ${downgraded ? `to ${next.host} without encryption` : 'too often, or to no address'}.`,
          'If HF_ENDPOINT names a mirror, check it.',
        );
      // A caller's own token, such as Xet's, is for the host that it was sent to.
      if (next.origin !== url.origin) delete own.authorization;
      url = next;
    }
  }

  /** `fetch` for the hub's client library, with the same rules. */
  readonly fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const address = input instanceof Request ? input.url : input;
    const headers = Object.fromEntries(new Headers(init.headers).entries());
    const reply = await this.send(address, {
      method: (init.method ?? 'GET') as Dispatcher.HttpMethod,
      headers,
      signal: init.signal ?? undefined,
    });
    const empty = reply.status === 204 || reply.status === 304;
    if (empty) discard(reply);
    const body = empty ? null : (Readable.toWeb(reply.body) as ReadableStream<Uint8Array>);
    const named = Object.entries(reply.headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((each): [string, string] => [name, each]),
    );
    const response = new Response(body, { status: reply.status, headers: named });
    return Object.defineProperty(response, 'url', { value: reply.url.href });
  };

  private async hop(url: URL, { method = 'GET', headers = {}, body: sent, signal }: Send): Promise<Reply> {
    const { token } = this.settings;
    const wanted =
      token !== undefined && url.origin === this.endpoint.origin && headers.authorization === undefined;
    const authorized = wanted && !this.withholds;
    const withheld = wanted && this.withholds;
    if (wanted && !/^[\x21-\x7e]+$/.test(token))
      throw new AuroraError(
        'usage',
        'The access token of the hub has characters that no token has.',
        'Copy it again, to HF_TOKEN or with `hf auth login`.',
      );
    // Loaded for the first request only: most commands make none.
    const { request } = await import('../packages');
    const connections = await (this.connections ??= dispatcher(this.settings, this.stallMs));
    this.hosts.add(url.host);
    try {
      const {
        statusCode,
        headers: answered,
        body,
      } = await request(url, {
        method,
        dispatcher: connections,
        signal,
        headersTimeout: sent === undefined ? undefined : PATIENCE * this.stallMs,
        body: typeof sent === 'object' ? Readable.from(sent.open()) : sent,
        headers: {
          ...(typeof sent === 'object' && { 'content-length': String(sent.size) }),
          'user-agent': 'aurora-lab',
          // The bytes on the wire are counted and resumed.
          'accept-encoding': 'identity',
          ...headers,
          ...(authorized && { authorization: `Bearer ${token}` }),
        },
      });
      const header = (name: string) => [answered[name] ?? []].flat()[0];
      // Errors of a body that nobody reads any more.
      body.on('error', () => undefined);
      const read = paced(body, this.stallMs);
      read.on('error', () => undefined);
      return { status: statusCode, url, authorized, withheld, headers: answered, header, body: read };
    } catch (e) {
      throw connectionFailure(url, e);
    }
  }
}

/** It appears in messages, so it must not have a password. */
function endpointOf(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return url;
  const shown = address.includes('@') ? '' : ` ("${address}")`;
  throw new AuroraError(
    'usage',
    `HF_ENDPOINT${shown} is not the address of a hub.`,
    'Set it to an address such as https://huggingface.co, without a user name, or unset it.',
  );
}

/** Gives up the rest of an answer. */
export function discard({ body }: Pick<Reply, 'body'>): void {
  body.destroy();
}

/**
 * Reads an answer, and drops all bytes after the first `most`.
 *
 * @throws Failure if the connection is lost before that
 */
export async function readFirst(reply: Reply, most: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of reply.body as AsyncIterable<Buffer>) {
      pieces.push(piece);
      size += piece.length;
      if (size >= most) break;
    }
  } catch (e) {
    throw connectionFailure(reply.url, e);
  }
  return Buffer.concat(pieces, size).subarray(0, most);
}

/**
 * Connections through the environment's proxies, with its certificates. Node's own fetch has no proxies before Node 24.
 *
 * @param stallMs a server that sends nothing for this long is given up
 * @throws AuroraError 'usage' if a file of certificates cannot be read, or a proxy's address
 */
async function dispatcher({ proxies, certificates }: HubSettings, stallMs: number): Promise<Dispatcher> {
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
