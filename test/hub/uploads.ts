import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { commitOf, largeFile, smallFile, type Repository, type StoredFile } from './repository';

/** A request that sends something. */
export interface UploadRequest {
  host: 'hub' | 'store';
  route: 'create' | 'preupload' | 'batch' | 'put' | 'part' | 'complete' | 'verify' | 'commit' | 'other';
  url: URL;
  message: IncomingMessage;
}

/** A fault of an upload. */
export type UploadFault =
  /** Refused before anything is done. */
  | { kind: 'status'; status: number; headers?: Record<string, string>; body?: object }
  /** The connection ends when so many bytes of the body have arrived. */
  | { kind: 'cut'; after: number }
  /** Everything is done, and the connection ends without an answer. */
  | { kind: 'no answer' };

export interface UploadAnswer {
  status: number;
  body?: object;
  headers?: Record<string, string>;
}

/**
 * The hub's side of uploads. Requests and answers follow, by name:
 * - huggingface.js, packages/hub: create-repo.ts, who-am-i.ts, commit.ts (preupload, batch, parts, completion, commit) and
 *   commit.spec.ts, types/api/api-commit.ts;
 * - huggingface_hub: hf_api.py (create_repo: 409; create_commit: parent_commit), _commit_api.py (_fetch_upload_modes,
 *   _prepare_commit_payload), lfs.py (post_lfs_batch_info, lfs_upload with its verify action, _upload_multi_part);
 * - Git LFS: docs/api/batch.md; Amazon S3: PutObject (411 without a length, 400 with a second form of authorization).
 */
export class Uploads {
  /** Decides what goes wrong. */
  fault: (request: UploadRequest) => UploadFault | undefined = () => undefined;
  user = 'alice';
  organizations = ['a-lab'];
  role = 'write';
  /** Bytes of a part; larger objects are sent in parts. */
  chunk = Infinity;
  /** Contents of large files by SHA-256, which no commit need name. */
  readonly objects = new Map<string, Buffer>();
  /** The SHA-256 of each object whose content was sent completely, in order. */
  readonly stored: string[] = [];
  /** Summaries of commits. */
  readonly commits: string[] = [];
  private readonly parts = new Map<string, Buffer>();

  constructor(
    private readonly hub: { endpoint: string; storage: string; token: string; repositories: Repository[] },
  ) {}

  route({ pathname }: URL, method: string, host: 'hub' | 'store'): UploadRequest['route'] {
    if (host === 'store') return method !== 'PUT' ? 'other' : pathname.startsWith('/part/') ? 'part' : 'put';
    if (pathname === '/api/repos/create') return 'create';
    if (pathname === '/api/complete_multipart') return 'complete';
    const [, action] =
      /^\/api\/models\/[^/]+\/[^/]+\/(preupload|commit)\/main$/.exec(pathname) ??
      /^\/[^/]+\/[^/]+\.git\/info\/lfs\/objects\/(batch|verify)$/.exec(pathname) ??
      [];
    return (action as UploadRequest['route'] | undefined) ?? 'other';
  }

  whoami({ headers }: IncomingMessage): UploadAnswer {
    if (!this.isKnown(headers)) return INVALID;
    const orgs = this.organizations.map((name) => ({ type: 'org', id: name, name, fullname: name }));
    const accessToken = { displayName: 'a token', role: this.role, createdAt: '2026-01-02T03:04:05.000Z' };
    const { user: name } = this;
    return ok({
      type: 'user',
      id: '1',
      name,
      fullname: name,
      orgs,
      auth: { type: 'access_token', accessToken },
    });
  }

  answer({ route, url, message }: UploadRequest, body: Buffer): UploadAnswer {
    const { headers } = message;
    // Its addresses are signed, and need no token.
    if (route === 'put' || route === 'part') return this.store(url, message, body);
    if (route === 'complete') return this.complete(JSON.parse(body.toString()) as Completion);
    if (!this.isKnown(headers)) return INVALID;
    if (route === 'create') return this.create(JSON.parse(body.toString()) as Creation);
    const id = /^(?:\/api\/models)?\/([^/]+\/[^/]+?)(\.git)?\//.exec(url.pathname)?.[1];
    const repository = this.hub.repositories.find((r) => r.kind === 'model' && r.id === id);
    if (!repository) return failed(404, 'Repository not found', 'RepoNotFound');
    if (!this.mayWrite(repository.id))
      return failed(403, 'Forbidden: you must use a write token to upload to a repository.');
    switch (route) {
      case 'preupload':
        return ok({ files: (JSON.parse(body.toString()) as Preupload).files.map(uploadMode) });
      case 'batch':
        return this.batch(repository, JSON.parse(body.toString()) as Batch);
      case 'verify':
        return this.objects.has((JSON.parse(body.toString()) as { oid: string }).oid)
          ? ok({})
          : failed(404, 'Object not found');
      case 'commit':
        return this.commit(repository, body.toString());
      default:
        return failed(404, 'Not found');
    }
  }

  private isKnown({ authorization }: IncomingMessage['headers']): boolean {
    return authorization === `Bearer ${this.hub.token}`;
  }

  private mayWrite(id: string): boolean {
    return this.role !== 'read' && [this.user, ...this.organizations].includes(id.split('/')[0]);
  }

  private create({ type, name, organization, visibility }: Creation): UploadAnswer {
    const id = `${organization}/${name}`;
    const url = `${this.hub.endpoint}/${id}`;
    if (!this.mayWrite(id))
      return failed(403, `You don't have the rights to create a model under the namespace "${organization}"`);
    if (this.hub.repositories.some((r) => r.id === id))
      return {
        ...failed(409, 'You already created this model repo'),
        body: { error: 'You already created this model repo', url },
      };
    this.hub.repositories.push({
      kind: type,
      id,
      commit: commitOf(`${id} 0`),
      refs: ['main'],
      files: [smallFile('.gitattributes', '*.safetensors filter=lfs diff=lfs merge=lfs -text\n')],
      private: visibility === 'private',
    });
    return ok({ url, name: id, id });
  }

  private batch({ id }: Repository, { operation, hash_algo, objects, transfers }: Batch): UploadAnswer {
    if (operation !== 'upload' || hash_algo !== 'sha_256') return failed(422, 'Unsupported');
    const { endpoint, storage } = this.hub;
    const signed = 'X-Amz-Signature=secret-signature&X-Amz-Expires=3600';
    const actions = ({ oid, size }: Batch['objects'][number]) => {
      const verify = { href: `${endpoint}/${id}.git/info/lfs/objects/verify`, header: {} };
      if (size <= this.chunk || !transfers.includes('multipart'))
        return { upload: { href: `${storage}/put/${oid}?${signed}` }, verify };
      const names = Array.from({ length: Math.ceil(size / this.chunk) }, (_, i) =>
        String(i + 1).padStart(5, '0'),
      );
      const addresses = names.map((n) => [n, `${storage}/part/${oid}/${Number(n)}?${signed}`]);
      const header = { chunk_size: String(this.chunk), ...Object.fromEntries(addresses) };
      return {
        upload: { href: `${endpoint}/api/complete_multipart?uploadId=secret-signature`, header },
        verify,
      };
    };
    return ok(
      {
        transfer: this.chunk === Infinity ? 'basic' : 'multipart',
        objects: objects.map((object) => ({
          ...object,
          authenticated: true,
          ...(!this.objects.has(object.oid) && { actions: actions(object) }),
        })),
      },
      { 'content-type': 'application/vnd.git-lfs+json' },
    );
  }

  private store(url: URL, { headers }: IncomingMessage, body: Buffer): UploadAnswer {
    if (url.searchParams.get('X-Amz-Signature') !== 'secret-signature') return { status: 403 };
    if (headers.authorization !== undefined) return { status: 400 };
    if (headers['content-length'] === undefined) return { status: 411 };
    const [, kind, oid, part] = url.pathname.split('/');
    const etag = `"${sha256(body).slice(0, 32)}"`;
    if (kind === 'part') this.parts.set(`${oid} ${part}`, body);
    else if (!this.keep(oid, body)) return { status: 400 };
    return { status: 200, headers: { etag } };
  }

  private complete({ oid, parts }: Completion): UploadAnswer {
    const pieces = parts.map(({ partNumber, etag }) => {
      const piece = this.parts.get(`${oid} ${partNumber}`);
      return piece && etag === `"${sha256(piece).slice(0, 32)}"` ? piece : Buffer.from('wrong');
    });
    return this.keep(oid, Buffer.concat(pieces)) ? ok({}) : failed(400, 'Wrong parts');
  }

  private keep(oid: string, bytes: Buffer): boolean {
    if (sha256(bytes) !== oid) return false;
    this.objects.set(oid, bytes);
    this.stored.push(oid);
    return true;
  }

  private commit(repository: Repository, text: string): UploadAnswer {
    const lines = text.split('\n').map((line) => JSON.parse(line) as CommitLine);
    const [header, ...others] = lines;
    if (header.key !== 'header') return failed(400, 'The first line must be the header');
    const { summary, parentCommit } = header.value;
    if (parentCommit !== undefined && parentCommit !== repository.commit)
      return failed(412, 'A commit has happened since. Please refresh and try again.');
    const files = new Map(repository.files.map((file) => [file.path, file]));
    for (const line of others) {
      const file = this.committed(line);
      if (!file)
        return failed(
          400,
          'Your push was rejected because an LFS pointer pointed to a file that does not exist.',
        );
      files.set(file.path, file);
    }
    repository.files = [...files.values()];
    repository.commit = commitOf(`${repository.id} ${this.commits.push(summary)}`);
    const commitUrl = `${this.hub.endpoint}/${repository.id}/commit/${repository.commit}`;
    return ok({ success: true, commitOid: repository.commit, commitUrl, hookOutput: '' });
  }

  private committed(line: CommitLine): StoredFile | undefined {
    if (line.key === 'file') return smallFile(line.value.path, Buffer.from(line.value.content, 'base64'));
    const bytes = line.key === 'lfsFile' ? this.objects.get(line.value.oid) : undefined;
    return line.key === 'lfsFile' && bytes?.length === line.value.size
      ? largeFile(line.value.path, bytes)
      : undefined;
  }
}

interface Creation {
  type: 'model';
  name: string;
  organization: string;
  visibility?: 'private' | 'public';
}

interface Preupload {
  files: { path: string; size: number; sample: string }[];
}

interface Batch {
  operation: string;
  hash_algo: string;
  transfers: string[];
  objects: { oid: string; size: number }[];
}

interface Completion {
  oid: string;
  parts: { partNumber: number; etag: string }[];
}

type CommitLine =
  | { key: 'header'; value: { summary: string; parentCommit?: string } }
  | { key: 'file'; value: { path: string; content: string; encoding: 'base64' } }
  | { key: 'lfsFile'; value: { path: string; algo: 'sha256'; oid: string; size: number } };

/** By .gitattributes, and by size. */
const uploadMode = ({ path, size }: Preupload['files'][number]) => ({
  path,
  uploadMode: path.endsWith('.safetensors') || size > 10_000_000 ? 'lfs' : 'regular',
  shouldIgnore: false,
});

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

const ok = (body: object, headers?: Record<string, string>): UploadAnswer => ({ status: 200, body, headers });

const failed = (status: number, error: string, code?: string): UploadAnswer => ({
  status,
  body: { error },
  headers: { 'x-error-message': error, ...(code && { 'x-error-code': code }) },
});

const INVALID = failed(401, 'Invalid credentials in Authorization header');
