import { AuroraError } from '../../base/errors';
import { escapeControls } from '../../base/escape';
import type { Hub } from '../hub-client';
import { connectionFailure, Failure, notJson, ODD_TRIES, persist, refusal } from '../http/http-failure';
import { readFirst, type Reply } from '../http/http';

/** A server's own words, in characters. */
const MOST_WORDS = 300;

/** The page where a person makes a token with write access. */
const tokenPage = (hub: Hub): string => `${hub.settings.endpoint}/settings/tokens`;

/**
 * The reason why a request that changes something on the hub was refused. The statuses are those that
 * hf_raise_for_status and create_commit of huggingface_hub distinguish.
 *
 * @param what "the upload to alice/rte"
 */
export async function uploadRefusal(hub: Hub, reply: Reply, what: string): Promise<Failure> {
  const { url, status } = reply;
  const isHub = url.origin === hub.http.endpoint.origin;
  const said = await wordsOf(hub, reply);
  const fail = (kind: 'network' | 'gated' | 'usage', message: string, hint: string, tries = 0) =>
    new Failure(new AuroraError(kind, `${message}${said}`, hint), tries);
  if (status === 407) return connectionFailure(url, new Error('407'));
  // The signature of an address at the storage of large files expires; the hub then gives a new one.
  if (!isHub && status < 500 && status !== 429 && status !== 408)
    return fail(
      'network',
      `${url.host} refuses ${what} (${status}).`,
      'Run the command again: files that are already there are not sent again.',
      ODD_TRIES,
    );
  switch (status) {
    case 401:
      return fail(
        'gated',
        `${url.host} does not accept the token (401).`,
        `Create one at ${tokenPage(hub)}.`,
      );
    case 403:
      return fail(
        'gated',
        `${url.host} refuses ${what} with this token (403).`,
        `It needs write access to this repository: check it at ${tokenPage(hub)}.`,
      );
    case 404:
      return fail(
        'usage',
        `${url.host} does not take ${what}: it has no such repository, or takes no uploads (404).`,
        'Check the name. If HF_ENDPOINT names a mirror, publish to the hub itself.',
      );
    case 409:
    case 412:
      return fail(
        'usage',
        `${url.host} refuses ${what}, because the repository was changed or created in the meantime (${status}).`,
        'Run the command again to see what is there now.',
      );
    case 413:
      return fail(
        'usage',
        `${url.host} refuses ${what}, because it is too large (413).`,
        'Check the storage that your account has left.',
      );
  }
  if (status === 408 || status === 429 || status >= 500) return refusal({ ...reply, what });
  return fail(
    'network',
    `${url.host} refuses ${what} (${status}).`,
    'If HF_ENDPOINT names a mirror, check it.',
  );
}

/** The hub explains itself in X-Error-Message, or in a JSON body. */
async function wordsOf(hub: Hub, reply: Reply): Promise<string> {
  const body = await readFirst(reply, 4096).catch(() => Buffer.alloc(0));
  if (reply.url.origin !== hub.http.endpoint.origin) return '';
  const words = reply.header('x-error-message') ?? errorIn(body.toString('utf8')) ?? '';
  return words === '' ? '' : ` It says: ${safeWords(hub, words)}`;
}

/** Words for a message: on one line, not too long, and without the token, even if a server repeats it. */
export function safeWords(hub: Hub, words: string): string {
  const { token } = hub.settings;
  const own = token === undefined ? words : words.replaceAll(token, '…');
  return escapeControls(own.replace(/\s+/g, ' ').trim().slice(0, MOST_WORDS));
}

function errorIn(text: string): string | undefined {
  try {
    const { error, message } = JSON.parse(text) as { error?: unknown; message?: unknown };
    return [error, message].find((each) => typeof each === 'string');
  } catch {
    return undefined;
  }
}

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
