import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { AuroraError } from '../base/errors';
import { escapeControls } from '../base/escape';
import { type HubKind, isRepoName } from '../experiment/hub-reference';
import { containedName } from '../files/contained';
import { cachedInfo, cachedPath, referenceTo } from './cache';
import { discard, Http, readFirst, type Reply } from './http/http';
import { notJson, ODD_TRIES, oddLength, persist, type Persistence, refusal } from './http/http-failure';
import {
  fileAddress,
  foundRepo,
  infoAddress,
  pageAddress,
  repoFiles,
  repoInfo,
  repoWords,
  SEARCH_FIELDS,
  strange,
  treeAddress,
} from './hub-api';
import { hubSettings, type HubSettings } from './hub-settings';
import type { FoundRepo, HubFile, RepoFile, RepoInfo } from './types';

export interface HubOptions extends Pick<Persistence, 'pause' | 'signal'> {
  /** A server that sends nothing for this long is given up. */
  stallMs?: number;
}

/** A page of a listing has a thousand files. */
const MOST_ANSWER = 64_000_000;
/** The hub recommends at most 100,000 files. */
const MOST_FILES = 1_000_000;
const MOST_PAGES = 10_000;
/** A card's metadata can be long; the lines behind it are shown. */
const MOST_CARD = 65_536;
/** The most bytes that `range` may request at once: headers of safetensors are at most this long in practice. */
const MOST_RANGE = 100_000_000;

/** The hub: asks it, and downloads only requested files. */
export class Hub {
  readonly http: Http;
  /** Set once Xet's servers have refused: they are not asked again. */
  xetRefused = false;

  constructor(
    readonly settings: HubSettings = hubSettings(),
    readonly options: HubOptions = {},
  ) {
    this.http = new Http(settings, options.stallMs);
  }

  /** For answers that somebody waits for, without a message: without a network, the error comes after seven seconds. */
  private get patience(): Persistence {
    return { most: 3, longest: 20, pause: this.options.pause, signal: this.options.signal };
  }

  /** The hosts that were contacted so far. */
  get hosts(): string[] {
    return [...this.http.hosts];
  }

  /**
   * Repositories whose name contains the query, the most downloaded first.
   *
   * @throws AuroraError 'network'
   */
  async search(kind: HubKind, query: string, { limit = 20 }: { limit?: number } = {}): Promise<FoundRepo[]> {
    const wanted = kind === 'model' ? [...SEARCH_FIELDS, 'pipeline_tag'] : SEARCH_FIELDS;
    const parameters = new URLSearchParams([
      ['search', query],
      ['limit', String(limit)],
      ['sort', 'downloads'],
      ['direction', '-1'],
      ...wanted.map((field) => ['expand', field]),
    ]);
    const address = `${this.settings.endpoint}/api/${kind}s?${parameters}`;
    const { answer } = await this.ask(address, `the search for "${query}"`);
    if (!Array.isArray(answer)) throw strange('its search result is not a list');
    return answer.flatMap((each) => foundRepo(kind, each) ?? []).slice(0, limit);
  }

  /**
   * A repository at one commit, with all its files; in offline mode, with those in the cache.
   *
   * @param revision a branch, a tag or a commit
   * @param options.deep true to list files in folders, too
   * @throws AuroraError 'usage' if there is none or the name cannot be one, 'gated' if it may not be read, 'network'
   */
  async info(
    kind: HubKind,
    repo: string,
    revision = 'main',
    { deep = true }: { deep?: boolean } = {},
  ): Promise<RepoInfo> {
    const { endpoint, offline, cache } = this.settings;
    requireNames(repo, revision);
    if (offline) {
      const cached = cachedInfo(cache, kind, repo, revision);
      if (cached) return cached;
      throw new AuroraError(
        'network',
        `Offline mode is on, and ${repoWords(kind, repo)} is not in ${cache}.`,
        'Unset HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE to download it.',
      );
    }
    const what = repoWords(kind, repo);
    const asked = infoAddress(endpoint, kind, repo, revision);
    const page = pageAddress(endpoint, kind, repo);
    const { answer, reply } = await this.ask(asked, what, page);
    const found = repoInfo(kind, repo, revision, answer, reply.url);
    const files: RepoFile[] = [];
    let next: string | undefined = treeAddress(endpoint, kind, found.id, found.commit, deep);
    for (let pages = 1; next !== undefined; pages++) {
      if (pages > MOST_PAGES || files.length > MOST_FILES)
        throw strange(`its listing of ${found.id} does not end`);
      const { answer, reply }: Answer = await this.ask(next, what, page);
      for (const file of repoFiles(answer)) files.push(file);
      next = this.nextPage(reply);
    }
    return { ...found, files };
  }

  /** The first lines of a repository's card, without its metadata; undefined if it has none. */
  async card(info: RepoInfo, lines = 12): Promise<string | undefined> {
    const file = info.files.find(({ path }) => path === 'README.md');
    if (!file || file.size === 0) return undefined;
    const bytes = await this.range({ repo: info, file }, 0, Math.min(file.size, MOST_CARD));
    return firstLines(Buffer.from(bytes).toString('utf8'), lines);
  }

  /**
   * The bytes from `start` up to, not including, `end`: from the cache, or a few kilobytes from the server.
   *
   * @throws AuroraError 'network' if the server does not send exactly these
   */
  async range(file: HubFile, start: number, end: number): Promise<Uint8Array> {
    if (end > file.file.size || end - start > MOST_RANGE || start > end)
      throw new RangeError(`${file.file.path} has no bytes ${start} to ${end}`);
    if (start === end) return new Uint8Array();
    const cached = cachedPath(this.settings.cache, referenceTo(file.repo, file.file.path));
    // A file that is too short will be downloaded again.
    if (cached !== undefined && statSync(cached).size === file.file.size) return readPart(cached, start, end);
    return persist(async () => {
      const reply = await this.open(file, start, end);
      // A server without ranges sends the file from its start.
      const skip = reply.status === 206 ? 0 : start;
      if (skip + end - start > MOST_RANGE) {
        discard(reply);
        throw strange(`${reply.url.host} sends ${file.file.path} only as a whole`);
      }
      const bytes = await readFirst(reply, skip + end - start);
      if (bytes.length !== skip + end - start) throw oddLength(reply.url, file.file.path);
      return bytes.subarray(skip);
    }, this.patience);
  }

  /**
   * Asks once for a part of a file, as the plain address serves it; files in Xet too ("Backward Compatibility with LFS",
   * https://huggingface.co/docs/hub/xet/legacy-git-lfs).
   *
   * @param from.at the address to which the plain one redirected before
   * @returns an answer with status 206 and exactly this part, or 200 and the whole file
   * @throws Failure, AuroraError
   */
  async open(file: HubFile, start: number, end: number, { at, signal }: OpenAt = {}): Promise<Reply> {
    const { endpoint } = this.settings;
    const { path, size } = file.file;
    const reply = await this.http.send(at ?? fileAddress(endpoint, file), {
      headers: { range: `bytes=${start}-${end - 1}` },
      signal: signal ?? this.options.signal,
    });
    if (reply.status === 206) {
      const stated = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(reply.header('content-range') ?? '');
      const exact = stated && Number(stated[1]) === start && Number(stated[2]) === end - 1;
      if (exact && (stated[3] === '*' || Number(stated[3]) === size)) return reply;
    }
    const length = Number(reply.header('content-length') ?? size);
    if (reply.status === 200 && length === size) return reply;
    discard(reply);
    if (reply.status === 200 || reply.status === 206) throw oddLength(reply.url, path);
    const own = reply.url.origin === this.http.endpoint.origin;
    const page = own ? pageAddress(endpoint, file.repo.kind, file.repo.id) : undefined;
    const { id, kind } = file.repo;
    const names = { what: `${path} of ${id}`, repository: repoWords(kind, id) };
    throw refusal({ ...reply, ...names, page, oddTries: ODD_TRIES });
  }

  private ask(address: string, what: string, page?: string): Promise<Answer> {
    return persist(async () => {
      const headers = { accept: 'application/json' };
      const reply = await this.http.send(address, { headers, signal: this.options.signal });
      if (reply.status !== 200) {
        discard(reply);
        throw refusal({ ...reply, what, page });
      }
      const bytes = await readFirst(reply, MOST_ANSWER);
      try {
        return { answer: JSON.parse(bytes.toString('utf8')) as unknown, reply };
      } catch {
        throw notJson(reply.url);
      }
    }, this.patience);
  }

  /**
   * The page that a Link header names as the next one (utils/_pagination.py of huggingface_hub). A mirror may pass on the
   * hub's own address, which is then replaced as fix_hf_endpoint_in_url does.
   */
  private nextPage(reply: Reply): string | undefined {
    const link = /<([^>]+)>\s*;[^,]*\brel="?next"?/.exec(reply.header('link') ?? '')?.[1];
    if (link === undefined) return undefined;
    const { endpoint } = this.settings;
    const next = new URL(
      link.replace(/^https:\/\/(hub-ci\.)?huggingface\.co(?=\/)/, () => endpoint),
      reply.url,
    );
    if (next.origin !== this.http.endpoint.origin) throw strange(`its listing continues on ${next.host}`);
    return next.href;
  }
}

/** Names of branches and tags, as git check-ref-format has them: they become paths too. */
const NO_REVISION = /^[-/]|\.\.|[\0-\x20\x7f~^:?*[\\]|\/$|^$/;

/** Typed by a person, or from a file that somebody else has written. */
function requireNames(repo: string, revision: string, platform = process.platform): void {
  if (!isRepoName(repo))
    throw new AuroraError(
      'usage',
      `"${repo}" is not the name of a repository.`,
      'Use ORG/NAME, which is the end of the address of its page.',
    );
  if (NO_REVISION.test(revision) || containedName(revision, platform) !== revision)
    throw new AuroraError(
      'usage',
      `"${revision}" cannot be the name of a revision.`,
      'Use a branch, a tag, a pull request (refs/pr/N) or a commit.',
    );
}

interface OpenAt {
  at?: URL;
  signal?: AbortSignal;
}

interface Answer {
  answer: unknown;
  reply: Reply;
}

async function readPart(path: string, start: number, end: number): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Some cards have a table or a picture's data in one line. */
const MOST_LINE = 400;

/** The first lines of a model card or data set card: without its metadata, comments and pictures, which a terminal cannot show. */
export function firstLines(card: string, most: number): string {
  const text = card
    .replace(/^\uFEFF?---\r?\n[^]*?\n---[ \t]*(\r?\n|$)/, '')
    .replace(/<!--[^]*?(-->|$)/g, '')
    // Bounded: each of many that are not closed would otherwise be searched to the end of the card.
    .replace(/!\[[^[\]]{0,300}\]\([^()]{0,2000}\)/g, '');
  const lines = text
    .split(/\r?\n/)
    .map((line) => cut(line.trimEnd()))
    // Two empty lines in a row are no better than one.
    .filter((line, i, all) => line !== '' || (i > 0 && all[i - 1] !== ''));
  while (lines[0] === '') lines.shift();
  return escapeControls(lines.slice(0, most).join('\n').trimEnd(), '\n\t');
}

const cut = (line: string): string => (line.length > MOST_LINE ? `${line.slice(0, MOST_LINE - 1)}…` : line);
