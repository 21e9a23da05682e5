import type { Hub } from '../client';
import { notJson } from '../http/failure';
import { readFirst } from '../http/http';
import { persist } from '../http/persist';
import { uploadRefusal } from './refusal';

/** An account in thousands of organizations. */
const MOST_ANSWER = 4_000_000;

export interface Ask {
  /** Sent as JSON; without it, the request is a GET. */
  body?: object;
  /** "the upload to alice/rte" */
  what: string;
}

/** Asks the endpoint itself, with the token. */
export function askHub(hub: Hub, path: string, { body, what }: Ask): Promise<Record<string, unknown>> {
  const { signal } = hub.options;
  const json = body && { method: 'POST' as const, body: JSON.stringify(body) };
  const headers = { accept: 'application/json', ...(body && { 'content-type': 'application/json' }) };
  return persist(async () => {
    const reply = await hub.http.send(`${hub.settings.endpoint}${path}`, { ...json, headers, signal });
    if (reply.status < 200 || reply.status >= 300) throw await uploadRefusal(hub, reply, what);
    try {
      const answer: unknown = JSON.parse((await readFirst(reply, MOST_ANSWER)).toString('utf8'));
      if (typeof answer === 'object' && answer !== null) return answer as Record<string, unknown>;
    } catch (e) {
      if (!(e instanceof SyntaxError)) throw e;
    }
    throw notJson(reply.url);
  }, hub.options);
}
