import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { send, type Fault } from './faults';
import type { Repository, StoredFile } from './repository';
import { reply, takeUpload } from './take-upload';
import { Uploads, type UploadRequest } from './uploads';
import { reconstruction, xorb } from './xet';

/**
 * A hub on this machine, for what `src/hub` asks of one. Its answers follow, by name:
 * - huggingface_hub: file_download.py (get_hf_file_metadata: X-Repo-Commit, X-Linked-Etag, X-Linked-Size, ETag, Location;
 *   http_get: Range, Content-Range), utils/_http.py (hf_raise_for_status: X-Error-Code, X-Error-Message), utils/_pagination.py
 *   (Link), hf_api.py (ModelInfo, DatasetInfo, RepoFile), utils/_xet.py and its tests (test_xet_utils.py), tests/test_utils_errors.py;
 * - huggingface.js, packages/hub: list-files.ts and its spec (the entries of a listing), list-models.ts, XetBlob.ts;
 * - hub-docs: rate-limits.md (RateLimit), xet/legacy-git-lfs.md; the Xet protocol's documentation (file-id, reconstruction).
 */
export class HubServer {
  readonly repositories: Repository[] = [];
  /** Every request, to either host. */
  readonly seen: Seen[] = [];
  /** Decides what goes wrong with a request; undefined: nothing. */
  fault: (request: Request) => Fault | undefined = () => undefined;
  /** Called for each piece of a body that is handed to the system. */
  sending: (request: Request, bytes: number) => void = () => undefined;
  /** Called when an answer has been handed to the system as far as it goes. */
  served: (served: Served) => void = () => undefined;
  /** The token that opens private and gated repositories. */
  token = 'hf_test_token_that_must_not_leak';
  /** Files of a page of a listing. */
  pageSize = 1000;
  /** False if range requests are ignored. */
  ranges = true;
  /** The answer of Xet's servers. */
  xet: 'works' | 'refused' = 'refused';

  /** The uploads of clients. */
  readonly uploads = new Uploads(this);
  /** Called for each piece of what a client sends. */
  receiving: (request: UploadRequest, bytes: number) => void = () => undefined;

  private readonly hub = this.listener('hub');
  private readonly store = this.listener('store');
  private readonly sockets = new Set<Socket>();

  /** "http://127.0.0.1:1234": the hub's API and its small files. */
  get endpoint(): string {
    return addressOf(this.hub);
  }

  /** The other host, to which the hub redirects large files, and which is Xet's too. */
  get storage(): string {
    return addressOf(this.store);
  }

  async start(): Promise<this> {
    for (const server of [this.hub, this.store]) {
      server.on('connection', (s: Socket) => {
        this.sockets.add(s);
        s.once('close', () => this.sockets.delete(s)).once('error', () => s.destroy());
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    }
    return this;
  }

  stop(): void {
    for (const server of [this.hub, this.store]) server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private listener(host: 'hub' | 'store'): Server {
    return createServer((message, response) => {
      if (message.method !== 'GET')
        return takeUpload(this.uploads, host, message, response, {
          seen: (request) => this.seen.push(request),
          received: (request, bytes) => this.receiving(request, bytes),
        });
      const url = new URL(message.url!, 'http://host');
      if (url.pathname === '/api/whoami-v2') {
        this.seen.push({
          host,
          route: 'whoami',
          target: message.url!,
          headers: message.rawHeaders.join('\n'),
          range: undefined,
        });
        return reply(response, this.uploads.whoami(message));
      }
      if (!this.ranges) delete message.headers.range;
      const found = host === 'hub' ? this.onHub(url, message) : this.onStore(url, message);
      const request: Request = { host, url, message, route: found.route, ...found.part };
      this.seen.push({
        host,
        route: found.route,
        target: message.url!,
        headers: message.rawHeaders.join('\n'),
        range: message.headers.range,
      });
      const fault = this.fault(request);
      send(response, found, fault, {
        piece: (bytes) => this.sending(request, bytes),
        done: (sent, whole) => this.served({ ...request, sent, whole, fault }),
      });
    });
  }

  private onHub(url: URL, message: IncomingMessage): Answer {
    const [, kinds, id, action, rest] =
      /^\/api\/(models|datasets)\/([^/]+(?:\/[^/]+)?)\/(revision|tree|xet-read-token)\/(.+)$/.exec(
        url.pathname,
      ) ?? [];
    if (action !== undefined)
      return this.onRepository(kind(kinds), id, action, decodeURIComponent(rest), url, message);
    const search = /^\/api\/(models|datasets)$/.exec(url.pathname);
    if (search) return json('search', this.search(kind(search[1]), url));
    const resolve = /^\/(datasets\/)?([^/]+(?:\/[^/]+)?)\/resolve\/([^/]+)\/(.+)$/.exec(url.pathname);
    if (!resolve) return failed('other', 404, '', 'Not found');
    const repository = this.find(resolve[1] ? 'dataset' : 'model', resolve[2]);
    const refused = this.refuse(repository, decodeURIComponent(resolve[3]), message, 'resolve');
    if (refused) return refused;
    const path = decodeURIComponent(resolve[4]);
    const file = repository!.files.find((f) => f.path === path);
    if (!file) return failed('resolve', 404, 'EntryNotFound', 'Entry not found');
    return this.resolve(repository!, file, message);
  }

  private resolve(repository: Repository, file: StoredFile, message: IncomingMessage): Answer {
    const etag = `"${file.sha256 ?? file.gitSha1}"`;
    const headers = { 'x-repo-commit': repository.commit, 'accept-ranges': 'bytes', vary: 'Origin, Accept' };
    if (file.sha256 === undefined)
      return content('resolve', file, message, {
        ...headers,
        etag,
        'content-type': 'text/plain; charset=utf-8',
      });
    const token = `${this.endpoint}/api/${repository.kind}s/${repository.id}/xet-read-token/${repository.commit}`;
    const links = `<${token}>; rel="xet-auth", <${this.storage}/v1/reconstructions/${file.xet}>; rel="xet-reconstruction-info"`;
    // file-download-info.ts of huggingface.js asks so for what it needs for Xet, in place of a redirect.
    if (file.xet && message.headers.accept?.includes('application/vnd.xet-fileinfo+json'))
      return {
        route: 'xet-info',
        status: 200,
        headers: {
          ...headers,
          'content-type': 'application/vnd.xet-fileinfo+json',
          'x-linked-size': String(file.bytes.length),
          'x-linked-etag': etag,
          'x-xet-hash': file.xet,
          link: links,
        },
        body: Buffer.from('{}'),
      };
    return {
      route: 'redirect',
      part: { file },
      status: 302,
      headers: {
        ...headers,
        location: `${this.storage}/${file.sha256}?X-Amz-Signature=secret-signature&X-Amz-Expires=3600`,
        'x-linked-size': String(file.bytes.length),
        'x-linked-etag': etag,
        ...(file.xet && { 'x-xet-hash': file.xet, link: links }),
      },
      body: Buffer.from('Found. Redirecting'),
    };
  }

  private onRepository(
    of: 'model' | 'dataset',
    id: string,
    action: string,
    revision: string,
    url: URL,
    message: IncomingMessage,
  ): Answer {
    const route = action === 'revision' ? 'info' : action === 'tree' ? 'tree' : 'xet-token';
    const found = this.find(of, id);
    const refused = this.refuse(found, revision, message, route);
    if (refused) return refused;
    const repository = found!;
    if (route === 'info') return json(route, describe(repository));
    if (route === 'tree') return this.tree(repository, url);
    if (this.xet === 'refused') return failed(route, 403, '', 'Xet is not available');
    const exp = Math.floor(Date.now() / 1000) + 3600;
    return json(route, { accessToken: 'xet_access_token', exp, casUrl: this.storage });
  }

  private tree(repository: Repository, url: URL): Answer {
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const folders = [...new Set(repository.files.flatMap(({ path }) => path.split('/').slice(0, -1)))];
    const all = [
      ...folders.map((path) => ({ type: 'directory', oid: repository.commit, size: 0, path })),
      ...repository.files.map(listed),
    ];
    const next = new URL(`${this.endpoint}${url.pathname}${url.search}`);
    next.searchParams.set('cursor', String(from + this.pageSize));
    const more = from + this.pageSize < all.length;
    const page = all.slice(from, from + this.pageSize);
    return json('tree', page, more ? { link: `<${next.href}>; rel="next"` } : undefined);
  }

  private search(of: 'model' | 'dataset', url: URL): object[] {
    const query = url.searchParams.get('search')?.toLowerCase() ?? '';
    const limit = Number(url.searchParams.get('limit') ?? 1000);
    return this.repositories
      .filter((r) => r.kind === of && r.id.toLowerCase().includes(query) && !r.private)
      .slice(0, limit)
      .map(describe);
  }

  private onStore(url: URL, message: IncomingMessage): Answer {
    const files = this.repositories.flatMap((r) => r.files);
    const [, plan] = /^\/v2\/reconstructions\/([0-9a-f]{64})$/.exec(url.pathname) ?? [];
    if (plan !== undefined) {
      const file = files.find((f) => f.xet === plan);
      const allowed = message.headers.authorization === 'Bearer xet_access_token';
      if (!file || !allowed || this.xet === 'refused') return failed('xet-plan', 403, '', 'Forbidden');
      return json('xet-plan', reconstruction(file, message.headers.range, this.storage));
    }
    const [, stored] = /^\/xorbs\/([0-9a-f]{64})$/.exec(url.pathname) ?? [];
    const chunked = files.find((f) => f.xet !== undefined && f.xet === stored);
    if (chunked) return content('xorb', { ...chunked, bytes: xorb(chunked.bytes) }, message, {});
    const file = files.find((f) => f.sha256 !== undefined && url.pathname === `/${f.sha256}`);
    const signed = url.searchParams.get('X-Amz-Signature') === 'secret-signature';
    if (!file || !signed) return failed('store', 403, '', 'Access denied');
    return content('store', file, message, {
      etag: '"an-etag-of-the-store"',
      'content-type': 'binary/octet-stream',
    });
  }

  private find(of: 'model' | 'dataset', id: string): Repository | undefined {
    return this.repositories.find((r) => r.kind === of && r.id === id);
  }

  /** As the hub answers where there is nothing to see: 401 without a token whether or not there is a repository. */
  private refuse(
    repository: Repository | undefined,
    revision: string,
    message: IncomingMessage,
    route: string,
  ): Answer | undefined {
    const known = message.headers.authorization === `Bearer ${this.token}`;
    if (!repository || (repository.private && !known))
      return known
        ? failed(route, 404, 'RepoNotFound', 'Repository not found')
        : failed(route, 401, '', 'Invalid username or password.');
    if (repository.gated && !known && route !== 'info' && route !== 'tree')
      return failed(
        route,
        401,
        'GatedRepo',
        `Access to model ${repository.id} is restricted. You must have access to it and be authenticated to access it. Please log in.`,
      );
    if (revision.split('/')[0] !== repository.commit && !repository.refs.includes(revision))
      return failed(route, 404, 'RevisionNotFound', `Invalid rev id: ${revision}`);
    return undefined;
  }
}

/** A request, and the part of a file that it asks for. */
export interface Request {
  host: 'hub' | 'store';
  /** info, tree, search, resolve (a small file), redirect (a large one), store, xet-token, xet-plan, xorb. */
  route: string;
  url: URL;
  message: IncomingMessage;
  file?: StoredFile;
  start?: number;
  end?: number;
}

export interface Served extends Request {
  /** Bytes of the body. */
  sent: number;
  /** True if the whole answer was sent. */
  whole: boolean;
  fault: Fault | undefined;
}

export interface Seen {
  host: 'hub' | 'store';
  route: string;
  target: string;
  headers: string;
  range: string | undefined;
  /** The body of an upload. */
  body?: string;
}

/** An answer without faults. */
export interface Answer {
  route: string;
  part?: Pick<Request, 'file' | 'start' | 'end'>;
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

const kind = (plural: string) => (plural === 'models' ? 'model' : 'dataset');

const addressOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

function json(route: string, value: unknown, headers: Record<string, string> = {}): Answer {
  const type = { 'content-type': 'application/json; charset=utf-8' };
  return { route, status: 200, headers: { ...type, ...headers }, body: Buffer.from(JSON.stringify(value)) };
}

function failed(route: string, status: number, code: string, words: string): Answer {
  const { headers, body } = json(route, { error: words });
  const more = {
    'x-error-message': words,
    'x-request-id': 'Root=1-test',
    ...(code && { 'x-error-code': code }),
  };
  return { route, status, headers: { ...headers, ...more }, body };
}

/** A file or the part of it that Range names (RFC 9110, 14). */
function content(
  route: string,
  file: StoredFile,
  message: IncomingMessage,
  headers: Record<string, string>,
): Answer {
  const size = file.bytes.length;
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(message.headers.range ?? '') ?? [];
  if (from === undefined)
    return { route, part: { file, start: 0, end: size }, status: 200, headers, body: file.bytes };
  const start = Number(from);
  const end = Math.min(size, to === '' ? size : Number(to) + 1);
  if (start >= size)
    return {
      ...failed(route, 416, '', 'Range not satisfiable'),
      headers: { 'content-range': `bytes */${size}`, 'content-type': 'text/plain' },
    };
  return {
    route,
    part: { file, start, end },
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${start}-${end - 1}/${size}` },
    body: file.bytes.subarray(start, end),
  };
}

const describe = (r: Repository) => ({
  _id: r.commit.slice(0, 24),
  id: r.id,
  ...(r.kind === 'model' && { modelId: r.id, pipeline_tag: r.task }),
  sha: r.commit,
  private: r.private ?? false,
  gated: r.gated ?? false,
  disabled: false,
  downloads: 1234,
  likes: 56,
  lastModified: '2026-01-02T03:04:05.000Z',
  usedStorage: r.files.reduce((sum, { bytes }) => sum + bytes.length, 0),
  tags: r.tags ?? [],
  siblings: r.files.map(({ path }) => ({ rfilename: path })),
});

const listed = ({ path, bytes, gitSha1, sha256, xet }: StoredFile) => ({
  type: 'file',
  oid: gitSha1,
  size: bytes.length,
  ...(sha256 && { lfs: { oid: sha256, size: bytes.length, pointerSize: 134 } }),
  ...(xet && { xetHash: xet }),
  path,
});
