import type { Hub } from '../client';
import { readFirst, type StreamedBody } from '../http/http';
import type { LocalFile } from './local-files';
import { uploadRefusal } from './refusal';
import type { Upload } from './upload';

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
export class UploadRequests {
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
