import { AuroraError } from '../../base/errors';
import type { Hub } from '../client';
import { connectionFailure, Failure } from '../http/failure';
import type { HubFile } from '../types';

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
