import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { AuroraError } from '../../base/errors';
import { requireOwned } from '../../files/fence';
import type { Hub } from '../hub-client';
import { connectionFailure, Failure, oddLength, persist, type Persistence } from '../http/http-failure';
import type { HubFile } from '../types';

export interface Fill extends Persistence {
  /** The unfinished file; need not exist. */
  path: string;
  size: number;
  source: Source;
  /** Bytes that are requested, flushed and resumed together. */
  block: number;
  /** The folder of the lock: another process may have taken it over while this one was suspended. */
  lock: string;
  /** The file's name, for messages. */
  name: string;
  /**
   * Progress of at least so many new bytes shows that the server is reliable; a server that is too slow sends fewer.
   */
  worth: number;
  /** The number of bytes that are there now. */
  at(bytes: number): void;
}

/**
 * Completes an unfinished file. Blocks are flushed before the next one begins, so everything up to the last start of a
 * block survived, however the process ended; behind that, a power cut may have left a hole. Within this process, the
 * last byte written counts.
 *
 * @throws AuroraError, or the system's error for a failed write
 */
export async function fill({
  path,
  size,
  source,
  block,
  lock,
  name,
  worth,
  at: tell,
  ...retry
}: Fill): Promise<void> {
  requireOwned(lock);
  const file = await open(path, constants.O_RDWR | constants.O_CREAT);
  try {
    let at = await usable(file, size, block);
    /** Only more than ever before is progress: bytes that are thrown away and sent again do not count. */
    let furthest = at;
    tell(at);
    while (at < size) {
      const end = Math.min(size, (Math.floor(at / block) + 1) * block);
      await persist(async (progress) => {
        const began = at;
        const part = await source.open(at, end);
        let position = part.start;
        for await (const bytes of part.bytes) {
          const fresh = bytes.subarray(Math.max(0, at - position));
          position += bytes.length;
          if (position > part.end) {
            // Any of its bytes may be the wrong ones.
            at = began;
            throw oddLength(part.url, name);
          }
          if (fresh.length === 0) continue;
          await writeWhole(file, fresh, at);
          at += fresh.length;
          if (at >= Math.min(size, furthest + worth)) {
            progress();
            furthest = at;
          }
          tell(at);
        }
        if (at < part.end) throw connectionFailure(part.url, new Error('It ended early'));
      }, retry);
      await file.datasync();
      requireOwned(lock);
    }
  } finally {
    await file.close();
  }
}

/** The length of an unfinished file's usable part; the rest is cut off. */
async function usable(file: FileHandle, size: number, block: number): Promise<number> {
  const there = (await file.stat()).size;
  const use = there === size ? size : there > size ? 0 : Math.floor(there / block) * block;
  if (use !== there) await file.truncate(use);
  return use;
}

async function writeWhole(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;)
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
}

/** Bytes of a file as they arrive. */
export interface Part {
  /** The position of the first byte in the file; before the requested one if the server has no ranges. */
  start: number;
  /** The position after the expected last byte. */
  end: number;
  /** @throws Failure if the connection is lost */
  bytes: AsyncIterable<Uint8Array>;
  url: URL;
}

/** A file on the hub, for one download of it: from Xet's servers if the hub names them, else from its plain address. */
export class Source {
  /** The address that the plain one redirected to: the hub need not be asked again for each block. */
  private at: URL | undefined;
  private blob: Blob | undefined;
  private plain: boolean;

  constructor(
    private readonly hub: Hub,
    private readonly file: HubFile,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.plain = file.file.xet === undefined || !hub.settings.xet;
  }

  /** From now on, only the plain address is used. */
  avoidXet(): void {
    this.plain = true;
  }

  /** @throws Failure, AuroraError */
  async open(start: number, end: number): Promise<Part> {
    return this.plain || this.hub.xetRefused ? this.openPlain(start, end) : this.openXet(start, end);
  }

  private async openPlain(start: number, end: number): Promise<Part> {
    const { at, signal } = this;
    // After any failure there, the plain address is asked again: the signature may have expired.
    this.at = undefined;
    const reply = await this.hub.open(this.file, start, end, { at, signal });
    const whole = reply.status === 200;
    const keep = () => {
      if (reply.url.origin !== this.hub.http.endpoint.origin) this.at = reply.url;
    };
    return {
      start: whole ? 0 : start,
      end: whole ? this.file.file.size : end,
      bytes: passing(reply.body as AsyncIterable<Uint8Array>, (e) => connectionFailure(reply.url, e), keep),
      url: reply.url,
    };
  }

  /**
   * Through the hub's own client library. Networks that let the hub pass may still block Xet's hosts, so after any
   * failure the plain address is tried instead, which serves the same bytes.
   */
  private async openXet(start: number, end: number): Promise<Part> {
    const url = this.hub.http.endpoint;
    const refused = (e: unknown): Failure => {
      this.hub.xetRefused = true;
      const hint = 'Set HF_HUB_DISABLE_XET=1 to download without Xet.';
      const said = e instanceof Failure ? e.message : `Xet refuses ${this.file.file.path}.`;
      return new Failure(new AuroraError('network', said, hint), 1, 0);
    };
    try {
      this.blob ??= await this.findBlob();
      const bytes = this.blob.slice(start, end).stream() as unknown as AsyncIterable<Uint8Array>;
      return { start, end, bytes: passing(bytes, refused), url };
    } catch (e) {
      throw refused(e);
    }
  }

  /** The library's own way to a file in Xet; its parts are fetched when they are read. */
  private async findBlob(): Promise<Blob> {
    const { downloadFile, fileDownloadInfo } = await import('../packages');
    const { hub, file, signal } = this;
    const asked = {
      repo: { type: file.repo.kind, name: file.repo.id },
      path: file.file.path,
      revision: file.repo.commit,
      hubUrl: hub.settings.endpoint,
      // Adds the token where it may go; the library is not given it.
      fetch: (input: string | URL | Request, init?: RequestInit) =>
        hub.http.fetch(input, { ...init, signal }),
    };
    const downloadInfo = await fileDownloadInfo(asked);
    const blob = downloadInfo?.xet && (await downloadFile({ ...asked, downloadInfo }));
    if (!blob || blob.size !== file.file.size) throw new Error('It is not in Xet, or is another file there');
    return blob;
  }
}

/**
 * Passes bytes on; errors of the network become failures, so that they differ from errors of the code that writes the
 * bytes.
 */
async function* passing(
  bytes: AsyncIterable<Uint8Array>,
  failure: (e: unknown) => Failure,
  end?: () => void,
): AsyncGenerator<Uint8Array> {
  const iterator = bytes[Symbol.asyncIterator]();
  let over = false;
  try {
    for (;;) {
      const step = await iterator.next().catch((e: unknown) => {
        over = true;
        throw failure(e);
      });
      over = step.done === true;
      if (over) break;
      yield step.value as Uint8Array;
    }
    end?.();
  } finally {
    if (!over) await iterator.return?.()?.catch?.(() => undefined);
  }
}
