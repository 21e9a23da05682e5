import { createHash } from 'node:crypto';
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync } from 'node:fs';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { askedUrl, type Download } from './hashes';

/** NuGet's own server: a mirror must serve the same bytes, so its own hashes do not count. */
const NUGET = 'https://api.nuget.org/v3';
const PACKAGE = /\/([^/]+)\/([^/]+)\/\1\.\2\.nupkg$/;

/** Requests for a hash rather than a download. */
const asksForHash = (url: string): boolean => /\/v3\/(registration|catalog)\w*[-/]/.test(url);

/**
 * The SHA-512 (base64) that the publisher states for `url`: the catalog entry of a NuGet package. Undefined for
 * anything else, and if there is none or it cannot be read. Uses the process's own agents, and so its proxy.
 */
async function statedHash(url: string): Promise<string | undefined> {
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

/**
 * Preloaded into the packages' install scripts, which report no progress, and into their children: writes each HTTP
 * request's progress to the file in AURORA_GPU_DOWNLOADS. It also ends a script whose parent is gone, so that a
 * canceled install leaves no process behind.
 */
const file = process.env.AURORA_GPU_DOWNLOADS;
const WRITE_MS = 250;
const downloads = new Map<ClientRequest, Download>();
/** The requested URL, by the URL it was redirected to. */
const redirects = new Map<string, string>();

function write(d: Download): void {
  if (file === undefined) return;
  try {
    appendFileSync(file, `${JSON.stringify(d)}\n`);
  } catch {
    // Its folder is gone: the install was canceled.
    process.exit(1);
  }
}

subscribe('http.client.request.start', (message) => {
  const { request } = message as { request: ClientRequest };
  const url = `${request.protocol}//${String(request.getHeader('host'))}${request.path}`;
  if (asksForHash(url)) return;
  const asked = redirects.get(url);
  const d: Download = { id: `${process.pid}-${downloads.size}`, url, ...(asked && { asked }), received: 0 };
  downloads.set(request, d);
  write(d);
});

subscribe('http.client.response.finish', (message) => {
  const { request, response } = message as { request: ClientRequest; response: IncomingMessage };
  const d = downloads.get(request);
  if (!d) return;
  d.status = response.statusCode;
  const length = Number(response.headers['content-length']);
  if (Number.isFinite(length)) d.total = length;
  const { location } = response.headers;
  if (location !== undefined && URL.canParse(location, d.url))
    redirects.set(new URL(location, d.url).href.replace(/#.*/, ''), askedUrl(d));
  write(d);
  const hash = createHash('sha512');
  const push = response.push.bind(response);
  let written = performance.now();
  // Counted on arrival: a data listener would start the stream too early.
  response.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
    if (chunk) {
      d.received += chunk.length;
      hash.update(chunk);
    }
    if (performance.now() - written > WRITE_MS) {
      written = performance.now();
      write(d);
    }
    return push(chunk, encoding);
  };
  response.once('close', () => {
    d.ended = response.complete ? 'whole' : 'broken';
    d.sha512 = hash.digest('base64');
    write(d);
    if (d.status !== 200 || d.ended !== 'whole') return;
    // The process stays alive until this is answered.
    void statedHash(askedUrl(d)).then((stated) => {
      if (stated === undefined) return;
      d.stated = stated;
      write(d);
    });
  });
});

const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.exit(1);
}, WRITE_MS).unref();
