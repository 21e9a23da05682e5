import { createHash } from 'node:crypto';
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync } from 'node:fs';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { askedUrl, type Download } from './downloads';
import { asksForHash, statedHash } from './stated-hash';

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
