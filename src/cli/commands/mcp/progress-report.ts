import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type { ServerNotification, ServerRequest } from '@modelcontextprotocol/sdk/types.js';
import type { ToolHost } from '../../../tools/tool';

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** Between two numbers of the same report: the protocol wants each notification's to be larger. */
const LEAST = 0.001;

/**
 * Sends `notifications/progress` for a call whose client asked for them. A message is sent once; its numbers are those of
 * the work if they grow.
 */
export function progressReport({
  _meta,
  sendNotification,
}: Pick<Extra, 'sendNotification'> & Partial<Pick<Extra, '_meta'>>): ToolHost['progress'] {
  const progressToken = _meta?.progressToken;
  if (progressToken === undefined) return () => undefined;
  let last = { message: '', progress: 0 };
  return (message, done, total) => {
    if (message === last.message) return;
    const isLarger = done !== undefined && done > last.progress;
    const progress = isLarger ? done : last.progress + LEAST;
    last = { message, progress };
    const params = { progressToken, progress, message, ...(isLarger && total !== undefined && { total }) };
    // A client that is gone needs none.
    void sendNotification({ method: 'notifications/progress', params }).catch(() => undefined);
  };
}
