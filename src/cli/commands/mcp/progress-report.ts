import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type { ServerNotification, ServerRequest } from '@modelcontextprotocol/sdk/types.js';
import type { ToolHost } from '../../../tools/tool';

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** Between two numbers of the same report: the protocol wants each notification's to be larger. */
const LEAST = 0.001;
/** Many clients end a call that reports nothing for a minute. */
const SIGN_MS = 10_000;

/** The reports of a call to its client. */
export interface ProgressReport {
  report: ToolHost['progress'];
  /** Call it when the call has ended. */
  end(): void;
}

/**
 * Sends `notifications/progress` for a call whose client asked for them: each new message, with the numbers of the work if they
 * grow, and the last one again as a sign of life.
 *
 * @param every the time between such signs in ms
 */
export function progressReport(
  { _meta, sendNotification }: Pick<Extra, 'sendNotification'> & Partial<Pick<Extra, '_meta'>>,
  every = SIGN_MS,
): ProgressReport {
  const progressToken = _meta?.progressToken;
  if (progressToken === undefined) return { report: () => undefined, end: () => undefined };
  let last = { message: '', progress: 0 };
  const send = (message: string, done = 0, total?: number) => {
    const isLarger = done > last.progress;
    const progress = isLarger ? done : last.progress + LEAST;
    last = { message, progress };
    const params = { progressToken, progress, message, ...(isLarger && total !== undefined && { total }) };
    // A client that is gone needs none.
    void sendNotification({ method: 'notifications/progress', params }).catch(() => undefined);
  };
  const timer = setInterval(() => send(last.message), every);
  return {
    report: (message, done, total) => {
      if (message !== last.message) send(message, done, total);
    },
    end: () => clearInterval(timer),
  };
}
