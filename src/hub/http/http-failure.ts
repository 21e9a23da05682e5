import { pipeline, type Readable, Transform } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { AuroraError } from '../../base/errors';

/** The reason why a request failed, and the rules for repeating it. */
export class Failure extends Error {
  constructor(
    /** The error that the user sees if it is final. */
    readonly error: AuroraError,
    /** The number of times in a row that it may be repeated. */
    readonly tries: number,
    /** The seconds that the server asks to wait. */
    readonly after?: number,
  ) {
    super(error.message);
  }
}

/** A server that needs the token, and may not get it. */
export const WITHHELD_HINT =
  'Your token was not sent, since anyone on the network could read it: set HF_ENDPOINT to an address that begins with https:.';

/** Tries for failures that pass with time. With the pauses of `persist`, nine tries take about four minutes. */
const TRANSIENT_TRIES = 8;

/** Answers that contradict an earlier one: a mirror or a cache of the network may be behind for a moment. */
export const ODD_TRIES = 3;

const PROXY = '"http.proxy" in VS Code, or HTTPS_PROXY in a terminal';
const NETWORK = `Check the network. Behind a proxy, set ${PROXY}.`;

/**
 * The failure of a request that got no answer, or not all of it.
 *
 * @param url the requested address; only its host appears in the message
 */
export function connectionFailure(url: URL, e: unknown): Failure {
  const codes = codesOf(e);
  const host = url.host;
  const fail = (message: string, hint: string, tries = TRANSIENT_TRIES) =>
    new Failure(new AuroraError('network', message, hint), tries);
  if (codes.some((code) => /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS/.test(code)))
    return fail(
      `The certificate of ${host} is not trusted (${codes[0]}).`,
      "Save your company's certificate to a file and set NODE_EXTRA_CA_CERTS to its path.",
      0,
    );
  if (codes.some((code) => ['ENOTFOUND', 'EAI_AGAIN'].includes(code)))
    return fail(`${host} could not be found (${codes[0]}).`, NETWORK);
  if (/\b407\b|proxy auth/i.test(String((e as Error).message)))
    return fail(
      'The proxy requires a user name and a password.',
      'Add them to its address: http://NAME:PASSWORD@HOST:PORT.',
      0,
    );
  if (codes.includes(TOO_SLOW)) return fail(`${host} sends less than 1 KB per second.`, NETWORK);
  const stalled = codes.find((code) => /TIMEOUT/.test(code));
  if (stalled) return fail(`${host} sent nothing for too long.`, NETWORK);
  return fail(`The connection to ${host} was lost${codes[0] ? ` (${codes[0]})` : ''}.`, NETWORK);
}

/** The codes of an error and of its causes. */
function codesOf(e: unknown): string[] {
  const codes: string[] = [];
  for (let at = e; at instanceof Error && codes.length < 8; at = at.cause) {
    const { code, errors } = at as NodeJS.ErrnoException & { errors?: unknown[] };
    if (typeof code === 'string') codes.push(code);
    // Several addresses of one name were tried.
    for (const each of errors ?? []) codes.push(...codesOf(each));
  }
  return codes;
}

/** A length that contradicts the listing, or the request. */
export const oddLength = (url: URL, path: string): Failure =>
  new Failure(
    new AuroraError(
      'network',
      `${url.host} sends another length of ${path} than was asked for.`,
      'If HF_ENDPOINT names a mirror, check that it has this version.',
    ),
    ODD_TRIES,
  );

/** The failure of JSON that ends early, or of a proxy's page in place of an answer. */
export const notJson = (url: URL): Failure =>
  new Failure(
    new AuroraError(
      'network',
      `${url.host} did not return JSON for ${url.pathname}, so it is not a compatible hub.`,
      'If HF_ENDPOINT names a mirror, check it. Otherwise, check whether a proxy or a login page of the network answers in its place.',
    ),
    ODD_TRIES,
  );

export interface Refusal {
  url: URL;
  status: number;
  header(name: string): string | undefined;
  /** True if a token was sent. */
  authorized: boolean;
  /** True if there is a token, and it was not sent because others could read it on the way. */
  withheld: boolean;
  /** The requested thing in words: "the model FacebookAI/roberta-base". */
  what: string;
  /** The repository of a file that was asked for, in words: access is granted to it as a whole. */
  repository?: string;
  /** The page of the repository, where its conditions are; undefined if another host than the hub's has refused. */
  page?: string;
  /**
   * The number of repeats of a failure that contradicts a listing, which names only files that exist and may be read.
   */
  oddTries?: number;
}

/**
 * The refusal of a server. The codes are those that hf_raise_for_status of huggingface_hub (utils/_http.py) reads: the
 * hub answers 401 for gated, private and missing repositories alike, and X-Error-Code states which it is.
 */
export function refusal(request: Refusal): Failure {
  const { url, status, header, authorized, withheld, what, page, oddTries = 0 } = request;
  const code = header('x-error-code');
  const { repository = what } = request;
  const fail = (kind: 'network' | 'gated' | 'usage', message: string, hint: string, tries = 0) =>
    new Failure(new AuroraError(kind, message, hint), tries);
  if (code === 'GatedRepo')
    return fail(
      'gated',
      `Access to ${repository} is gated: its owners grant it to those who accept their conditions.`,
      withheld
        ? WITHHELD_HINT
        : authorized
          ? `Accept them at ${page ?? url.origin} with the account of your token. Access is sometimes granted only after days.`
          : `Accept them at ${page ?? url.origin}, then set HF_TOKEN to a token of your account, or sign in in the editor.`,
    );
  if (code === 'RevisionNotFound')
    return fail(
      'usage',
      `${url.host} does not have this revision of ${repository}.`,
      'Check the name of the branch or tag.',
    );
  if (code === 'EntryNotFound' && oddTries === 0)
    return fail('usage', `${url.host} does not have ${what}.`, 'Check its name.');
  if (code === 'RepoNotFound' || (status === 401 && page !== undefined))
    return fail(
      status === 401 || status === 403 ? 'gated' : 'usage',
      `${url.host} does not have ${repository}, or it is private${authorized ? ' and your token does not give access to it' : ''}.`,
      withheld
        ? WITHHELD_HINT
        : authorized
          ? 'Check the name, and that the token is valid and may read it.'
          : 'Check the name. For a private repository, set HF_TOKEN, or sign in in the editor.',
    );
  if (status === 401 || status === 403)
    // The signature in the address of a stored file may have expired.
    return fail(
      'gated',
      `${url.host} refuses access to ${what} (${status}).`,
      withheld ? WITHHELD_HINT : 'Check the token.',
      page ? 0 : oddTries,
    );
  if (status === 407) return connectionFailure(url, new Error('407'));
  if (status === 404 || status === 416)
    return fail(
      'network',
      `${url.host} does not have ${what} (${status}).`,
      'If HF_ENDPOINT names a mirror, check that it has this version.',
      oddTries,
    );
  const later = status === 429 || status === 408 || status >= 500;
  const after = later ? waitingTime(header) : undefined;
  return new Failure(
    new AuroraError(
      'network',
      `${url.host} responded with ${status} to the request for ${what}.`,
      later ? 'Try again in a few minutes.' : 'If HF_ENDPOINT names a mirror, check it.',
    ),
    later ? TRANSIENT_TRIES : 0,
    after,
  );
}

/**
 * Seconds that the server asks to wait: Retry-After in either form (RFC 9110, 10.2.3), or the hub's own header, for
 * example RateLimit: "resolvers";r=0;t=55 (https://huggingface.co/docs/hub/rate-limits).
 */
export function waitingTime(header: Refusal['header'], now = Date.now()): number | undefined {
  const after = header('retry-after');
  if (after !== undefined && /^\d+$/.test(after)) return Number(after);
  const at = after === undefined ? NaN : Date.parse(after);
  if (!Number.isNaN(at)) return Math.max(0, (at - now) / 1000);
  const reset = /(?:^|;)\s*t=(\d+)/.exec(header('ratelimit') ?? '')?.[1];
  return reset === undefined ? undefined : Number(reset);
}

/** Bytes per second: less than any connection over which a model could be downloaded. */
const LEAST_RATE = 1024;

/** The bytes that a server has to send in each window, however it spreads them. */
export const leastIn = (windowMs: number): number => Math.ceil((LEAST_RATE * windowMs) / 1000);

/** The code of the error of a body that comes too slowly. */
const TOO_SLOW = 'AURORA_TOO_SLOW';

/**
 * An answer's body, which ends with an error when the server sends less than a thousand bytes per second: a limit on
 * silence alone never ends one that sends a byte now and then. Time in which nobody reads the received bytes does not
 * count.
 */
export function paced(body: Readable, windowMs: number): Readable {
  let bytes = 0;
  const passed = new Transform({
    transform(piece: Buffer, _, done) {
      bytes += piece.length;
      done(null, piece);
    },
  });
  const timer = setInterval(() => {
    if (bytes < leastIn(windowMs) && passed.readableLength === 0)
      passed.destroy(Object.assign(new Error('The server sends too slowly'), { code: TOO_SLOW }));
    bytes = 0;
  }, windowMs);
  timer.unref();
  return pipeline(body, passed, () => clearInterval(timer));
}

export interface Persistence {
  /** The pause before the n-th repetition, in seconds. */
  pause?: (n: number) => number;
  /** The number of repeats in a row of failures that pass with time, if less than usual: somebody is waiting. */
  most?: number;
  /** Seconds that a server may ask to wait, if less than usual. */
  longest?: number;
  /** Before each pause. */
  tell?(reason: string, seconds: number): void;
  signal?: AbortSignal;
}

/** The hub counts requests in windows of five minutes. */
const LONGEST_WAIT = 330;

const doubling = (n: number): number => Math.min(60, 2 ** (n - 1));

/**
 * Repeats an action that fails for a passing reason, with growing pauses, or as long as the server asks for.
 *
 * @param action gets a function to call whenever something has arrived: then the count of failures starts over
 * @throws AuroraError 'network', 'gated', 'usage' or 'stopped'
 */
export async function persist<T>(
  action: (progress: () => void) => Promise<T>,
  { pause = doubling, most = Infinity, longest = LONGEST_WAIT, tell, signal }: Persistence,
): Promise<T> {
  /** The failures in a row for reasons of each patience. */
  const failures = new Map<number, number>();
  for (;;) {
    if (signal?.aborted) throw stopped();
    try {
      return await action(() => failures.clear());
    } catch (e) {
      if (signal?.aborted) throw stopped();
      if (!(e instanceof Failure)) throw e;
      const failed = (failures.get(e.tries) ?? 0) + 1;
      if (failed > Math.min(e.tries, most)) throw e.error;
      failures.set(e.tries, failed);
      const seconds = e.after ?? pause(failed);
      if (seconds > longest) throw e.error;
      tell?.(e.message, seconds);
      await wait(seconds * 1000, undefined, { signal }).catch(() => undefined);
    }
  }
}

export const stopped = () =>
  new AuroraError('stopped', 'The download was stopped.', 'Start it again to continue.');
