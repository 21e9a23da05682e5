import type { HubKind } from '../experiment/hub-reference';
import { hubSettings, type HubSettings } from './settings';
import type { FoundRepo, HubFile, RepoInfo } from './types';

/** The hub: asks it, and downloads nothing but what is asked for. */
export class Hub {
  constructor(readonly settings: HubSettings = hubSettings()) {}

  /** @throws AuroraError 'network' */
  search(kind: HubKind, query: string, { limit = 20 }: { limit?: number } = {}): Promise<FoundRepo[]> {
    void [kind, query, limit];
    throw new Error('Not written yet');
  }

  /**
   * A repository at one commit, with all its files.
   *
   * @param revision a branch, a tag or a commit
   * @throws AuroraError 'usage' if there is none, 'gated' if it may not be read, 'network'
   */
  info(kind: HubKind, repo: string, revision = 'main'): Promise<RepoInfo> {
    void [kind, repo, revision];
    throw new Error('Not written yet');
  }

  /** The first lines of a repository's card, without its metadata; undefined if it has none. */
  card(info: RepoInfo, lines = 12): Promise<string | undefined> {
    void [info, lines];
    throw new Error('Not written yet');
  }

  /** The bytes from `start` up to, not including, `end`: a few kilobytes. */
  range(file: HubFile, start: number, end: number): Promise<Uint8Array> {
    void [file, start, end];
    throw new Error('Not written yet');
  }
}
