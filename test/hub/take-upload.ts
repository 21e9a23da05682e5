import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Seen } from './server';
import type { UploadAnswer, UploadRequest, Uploads } from './uploads';

/** Reads what is sent, as far as a fault lets it arrive, and answers. */
export function takeUpload(
  uploads: Uploads,
  host: 'hub' | 'store',
  message: IncomingMessage,
  response: ServerResponse,
  { seen, received }: { seen(request: Seen): void; received(request: UploadRequest, bytes: number): void },
): void {
  const url = new URL(message.url!, 'http://host');
  const route = uploads.route(url, message.method!, host);
  const request: UploadRequest = { host, route, url, message };
  const record: Seen = {
    host,
    route,
    target: message.url!,
    headers: message.rawHeaders.join('\n'),
    range: undefined,
    body: '',
  };
  seen(record);
  const fault = uploads.fault(request);
  if (fault?.kind === 'status') {
    message.resume();
    return reply(response, { status: fault.status, headers: fault.headers, body: fault.body });
  }
  const pieces: Buffer[] = [];
  let size = 0;
  // The client may have been killed.
  message.on('error', () => undefined);
  message.on('data', (piece: Buffer) => {
    pieces.push(piece);
    size += piece.length;
    received(request, piece.length);
    if (fault?.kind === 'cut' && size >= fault.after) message.destroy();
  });
  message.on('end', () => {
    if (message.destroyed && fault?.kind === 'cut') return;
    const body = Buffer.concat(pieces);
    record.body = body.toString('latin1');
    const answer = uploads.answer(request, body);
    if (fault?.kind === 'no answer') response.destroy();
    else reply(response, answer);
  });
}

export function reply(response: ServerResponse, { status, headers, body }: UploadAnswer): void {
  const text = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(text)),
    'x-request-id': 'Root=1-test',
    ...headers,
  });
  response.end(text);
}
