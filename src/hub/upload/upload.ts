import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AuroraError } from '../../base/errors';
import { filesBelow } from '../../files/tree';
import type { UploadChange, UploadEvent } from '../../protocol/publish';
import type { Hub } from '../hub-client';
import { Failure, persist } from '../http/http-failure';
import { readFirst, type StreamedBody } from '../http/http';
import { strange } from '../hub-api';
import type { RepoFile, RepoInfo } from '../types';
import { safeWords, uploadRefusal } from './refusal';

interface Upload {
  files: readonly LocalFile[];
  /** The title of the commit. */
  title: string;
  tell?(event: UploadEvent): void;
}

/**
 * Puts files into a repository by one commit, which is made when all of their content is there: until then nothing of
 * it is visible. Content that an earlier upload has stored is not sent again, and without a change there is no commit.
 *
 * @param repo as it was when the user agreed; files that are only there stay
 * @returns the commit that has the files, and `isNew` if this call made it
 * @throws AuroraError 'network', 'gated', 'usage' if the repository has changed since
 */
export async function upload(
  hub: Hub,
  repo: RepoInfo,
  { files, title, tell }: Upload,
): Promise<{ commit: string; isNew: boolean }> {
  const retry = {
    ...hub.options,
    tell: (reason: string, seconds: number) => tell?.({ kind: 'retrying', reason, seconds }),
  };
  return persist(async (progress) => {
    const now = await hub.info('model', repo.id);
    const changed = files.filter((file) => changeOf(file, now.files) !== 'unchanged');
    // This also ends an upload whose commit succeeded but whose answer was lost.
    if (changed.length === 0) return { commit: now.commit, isNew: now.commit !== repo.commit };
    if (now.commit !== repo.commit) throw changedMeanwhile(repo.id);
    const commit = await commitOnce(hub, now, changed, title, { tell, progress });
    const after = await hub.info('model', repo.id, commit);
    const wrong = files.find((file) => changeOf(file, after.files) !== 'unchanged');
    if (wrong) throw strange(`its listing of ${repo.id} has another ${wrong.path} than was sent`);
    return { commit, isNew: true };
  }, retry);
}

/**
 * Through the hub's client library: which files go to Git LFS, their hashes, parts of large ones, and the commit. Without
 * Xet, since its upload could not be tried here; the hub takes LFS from every client that does not ask for Xet
 * (https://huggingface.co/docs/hub/xet/legacy-git-lfs).
 */
async function commitOnce(
  hub: Hub,
  repo: RepoInfo,
  files: readonly LocalFile[],
  title: string,
  { tell, progress }: Pick<Upload, 'tell'> & { progress(): void },
): Promise<string> {
  const { commit, HubApiError } = await import('../packages');
  const requests = new UploadRequests(hub, repo.id, files, { tell, progress });
  try {
    const made = commit({
      repo: { type: 'model', name: repo.id },
      title,
      operations: files.map(({ path, at }) => ({
        operation: 'addOrUpdate',
        path,
        content: pathToFileURL(at),
      })),
      parentCommit: repo.commit,
      hubUrl: hub.settings.endpoint,
      useXet: false,
      fetch: requests.fetch,
      abortSignal: requests.signal,
    });
    // The library can lose an error that coincides with another event (eventToGenerator.ts), and would then wait for ever.
    const done = await Promise.race([made, requests.failed]);
    if (typeof done?.commit.oid !== 'string') throw strange('it does not name the commit that it made');
    return done.commit.oid;
  } catch (e) {
    requests.stop();
    if (e instanceof Failure || e instanceof AuroraError) throw e;
    const words = safeWords(hub, (e as Error).message);
    // An error of a single file, within an answer about many.
    if (e instanceof HubApiError)
      throw new AuroraError(
        'network',
        `${hub.http.endpoint.host} refuses the upload to ${repo.id}: ${words}`,
        'Check the storage that your account has left.',
      );
    throw strange(words);
  }
}

const changedMeanwhile = (id: string): AuroraError =>
  new AuroraError(
    'usage',
    `${id} has changed since it was looked at.`,
    'Run the command again to see what is there now.',
  );

/** The longest answer of the hub to a batch of files, or to a commit. */
const MOST_ANSWER = 16_000_000;
const TELL_MS = 200;

/** The library's hint: the file, and the part of it, that a request sends. */
interface Hint {
  path?: string;
  part?: number;
}

/**
 * The requests of one attempt, as `fetch` for the hub's client library. It is not given the token: `Http` adds it where it
 * may go, so that the storage, whose addresses are signed, never sees it.
 */
class UploadRequests {
  /** Rejects with the first failure of a request. */
  readonly failed: Promise<never>;
  private readonly aborter = new AbortController();
  private fail!: (e: unknown) => void;
  /** Bytes by file and part. */
  private readonly sent = new Map<string, number>();
  private readonly total: number;
  private told = -Infinity;

  constructor(
    private readonly hub: Hub,
    private readonly id: string,
    files: readonly LocalFile[],
    private readonly on: Pick<Upload, 'tell'> & { progress(): void },
  ) {
    this.total = files.reduce((sum, { size }) => sum + size, 0);
    this.failed = new Promise<never>((_, reject) => (this.fail = reject));
    // Nobody may be waiting for it any more.
    this.failed.catch(() => undefined);
    hub.options.signal?.addEventListener('abort', () => this.stop(), { once: true });
  }

  get signal(): AbortSignal {
    return this.aborter.signal;
  }

  /** Ends the requests that are under way. */
  stop(): void {
    this.aborter.abort();
  }

  readonly fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    try {
      return await this.once(String(input instanceof Request ? input.url : input), init);
    } catch (e) {
      this.fail(e);
      throw e;
    }
  };

  private async once(address: string, init: RequestInit & { progressHint?: Hint }): Promise<Response> {
    const { path, part } = init.progressHint ?? {};
    const method = (init.method ?? 'GET') as 'GET' | 'POST' | 'PUT';
    const reply = await this.hub.http.send(address, {
      method,
      headers: Object.fromEntries(new Headers(init.headers).entries()),
      body:
        init.body instanceof Blob ? this.streamed(init.body, path, part) : (init.body as string | undefined),
      signal: this.aborter.signal,
    });
    if (reply.status < 200 || reply.status >= 300)
      throw await uploadRefusal(this.hub, reply, `the upload of ${path ?? this.id}`);
    const body = await readFirst(reply, MOST_ANSWER);
    // A whole file has been stored: a further attempt need not send it again.
    if (path !== undefined && part === undefined && method === 'PUT') this.on.progress();
    const headers = new Headers();
    for (const name of ['content-type', 'etag', 'x-request-id']) {
      const value = reply.header(name);
      if (value !== undefined) headers.set(name, value);
    }
    return new Response(reply.status === 204 ? null : Uint8Array.from(body), {
      status: reply.status,
      headers,
    });
  }

  private streamed(blob: Blob, path = '', part = 0): StreamedBody {
    const key = `${part} ${path}`;
    const count = (bytes: number) => this.count(key, path, bytes);
    return {
      size: blob.size,
      async *open() {
        let done = 0;
        for await (const bytes of blob.stream() as unknown as AsyncIterable<Uint8Array>) {
          yield bytes;
          done += bytes.length;
          count(done);
        }
      },
    };
  }

  private count(key: string, path: string, bytes: number): void {
    this.sent.set(key, bytes);
    const now = performance.now();
    if (now - this.told < TELL_MS) return;
    this.told = now;
    const done = [...this.sent.values()].reduce((sum, n) => sum + n, 0);
    this.on.tell?.({ kind: 'sending', path, done, total: this.total });
  }
}

/** A file to upload, with both hashes by which the hub may know it. */
export interface LocalFile {
  /** In the repository, with forward slashes. */
  path: string;
  /** On this machine. */
  at: string;
  size: number;
  sha256: string;
  /** The git blob's. */
  gitSha1: string;
}

/** Every file in a folder. */
export const localFiles = (folder: string): Promise<LocalFile[]> =>
  Promise.all(filesBelow(folder).map((path) => hashed(path, join(folder, path))));

async function hashed(path: string, at: string): Promise<LocalFile> {
  const { size } = statSync(at);
  const sha256 = createHash('sha256');
  const gitSha1 = createHash('sha1').update(`blob ${size}\0`);
  for await (const bytes of createReadStream(at) as AsyncIterable<Buffer>) {
    sha256.update(bytes);
    gitSha1.update(bytes);
  }
  return { path, at, size, sha256: sha256.digest('hex'), gitSha1: gitSha1.digest('hex') };
}

/** Compares hashes. Git knows only the pointer of a large file. */
const isSame = (local: LocalFile, there: RepoFile): boolean =>
  there.sha256 === undefined ? there.gitSha1 === local.gitSha1 : there.sha256 === local.sha256;

/** The effect of an upload on a file of the repository. */
export function changeOf(local: LocalFile, there: readonly RepoFile[]): UploadChange {
  const found = there.find(({ path }) => path === local.path);
  return found === undefined ? 'new' : isSame(local, found) ? 'unchanged' : 'replaced';
}
