import type { ServerResponse } from 'node:http';
import type { Answer } from './server';

/** A fault of one answer. */
export type Fault =
  /** Another status in place of the answer. */
  | { kind: 'status'; status: number; headers?: Record<string, string> }
  /** The connection ends before an answer. */
  | { kind: 'hang up' }
  /** The connection ends after so many bytes of the body. */
  | { kind: 'cut'; after: number }
  /** The same, but the length was never stated, so the end looks like the right one. */
  | { kind: 'cut without length'; after: number }
  /** After so many bytes of the body nothing more comes, and the connection stays open. */
  | { kind: 'stall'; after: number }
  /** In pieces with pauses. */
  | { kind: 'slow'; pauseMs: number; pieces: number }
  /** A changed byte, at a place in the body. */
  | { kind: 'wrong bytes'; at: number }
  /** The headers state another length than the file's, and the body has it. */
  | { kind: 'wrong length'; by: number }
  /** Another part of the file than was asked for. */
  | { kind: 'wrong part'; by: number };

/** Sends an answer, or what a fault makes of it. */
export function send(
  response: ServerResponse,
  answer: Answer,
  fault: Fault | undefined,
  { done, piece }: { done(sent: number, whole: boolean): void; piece(bytes: number): void },
): void {
  const { status, headers, body } = answer;
  const reply = (text: Buffer, more: Record<string, string> = {}, code = status) => {
    response.writeHead(code, { ...headers, 'content-length': String(text.length), ...more });
  };
  let sent = 0;
  let over = false;
  const finish = (whole: boolean) => {
    if (!over) done(sent, whole);
    over = true;
  };
  // The other side went away.
  response.once('close', () => finish(false));
  /** In pieces, so that what a process that is killed was sent is known to some degree. */
  const write = (text: Buffer, then: () => void, pauseMs = 0, length = 65_536) => {
    const next = (at: number): void => {
      if (response.destroyed) return;
      if (at >= text.length) return then();
      const end = Math.min(text.length, at + length);
      sent += end - at;
      response.write(text.subarray(at, end), () =>
        pauseMs > 0 ? setTimeout(next, pauseMs, end) : setImmediate(next, end),
      );
      piece(end - at);
    };
    next(0);
  };
  const end = () => {
    finish(true);
    response.end();
  };
  switch (fault?.kind) {
    case undefined:
      reply(body);
      return write(body, end);
    case 'status':
      response.writeHead(fault.status, { 'content-type': 'text/html', ...fault.headers });
      response.end('<html>fault</html>');
      return finish(false);
    case 'hang up':
      response.destroy();
      return finish(false);
    case 'cut':
      reply(body);
      return write(body.subarray(0, fault.after), () => response.destroy());
    case 'cut without length':
      response.writeHead(status, headers);
      return write(body.subarray(0, fault.after), () => {
        finish(false);
        response.end();
      });
    case 'stall':
      reply(body);
      return write(body.subarray(0, fault.after), () => finish(false));
    case 'slow':
      reply(body);
      return write(body, end, fault.pauseMs, Math.ceil(body.length / fault.pieces));
    case 'wrong bytes': {
      const changed = Buffer.from(body);
      if (changed.length > 0) changed[fault.at % changed.length]! ^= 0x55;
      reply(changed);
      return write(changed, end);
    }
    case 'wrong length': {
      const changed = resized(body, body.length + fault.by);
      const range = headers['content-range'];
      const [, from, size] = /^bytes (\d+)-\d+\/(\d+)$/.exec(range ?? '') ?? [];
      const stated = from && {
        'content-range': `bytes ${from}-${Number(from) + changed.length - 1}/${Number(size) + fault.by}`,
      };
      reply(changed, stated || {});
      return write(changed, () => {
        finish(false);
        response.end();
      });
    }
    case 'wrong part': {
      const [, from, to, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers['content-range'] ?? '') ?? [];
      const by = fault.by;
      const stated = from && { 'content-range': `bytes ${Number(from) + by}-${Number(to) + by}/${size}` };
      reply(body, stated || {}, from ? 206 : 503);
      return write(body, () => {
        finish(false);
        response.end();
      });
    }
  }
}

const resized = (bytes: Buffer, size: number): Buffer => {
  const changed = Buffer.alloc(Math.max(0, size), 0x7e);
  bytes.copy(changed);
  return changed;
};
