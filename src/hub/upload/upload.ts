import { pathToFileURL } from 'node:url';
import { AuroraError } from '../../base/errors';
import type { UploadEvent } from '../../protocol/hub/publish';
import { strange } from '../answers';
import type { Hub } from '../client';
import { Failure } from '../http/failure';
import { persist } from '../http/persist';
import type { RepoInfo } from '../types';
import { changeOf, type LocalFile } from './local-files';
import { safeWords } from './refusal';
import { UploadRequests } from './requests';

export interface Upload {
  files: readonly LocalFile[];
  /** The title of the commit. */
  title: string;
  tell?(event: UploadEvent): void;
}

/**
 * Puts files into a repository by one commit, which is made when all of their content is there: until then nothing of
 * it is visible. Content that an earlier upload has stored is not sent again, and without a change there is no commit.
 *
 * @param repo as it was when the user agreed; files that are only there stay
 * @returns the commit that has the files, and `isNew` if this call made it
 * @throws AuroraError 'network', 'gated', 'usage' if the repository has changed since
 */
export async function upload(
  hub: Hub,
  repo: RepoInfo,
  { files, title, tell }: Upload,
): Promise<{ commit: string; isNew: boolean }> {
  const retry = {
    ...hub.options,
    tell: (reason: string, seconds: number) => tell?.({ kind: 'retrying', reason, seconds }),
  };
  return persist(async (progress) => {
    const now = await hub.info('model', repo.id);
    const changed = files.filter((file) => changeOf(file, now.files) !== 'unchanged');
    // This also ends an upload whose commit succeeded but whose answer was lost.
    if (changed.length === 0) return { commit: now.commit, isNew: now.commit !== repo.commit };
    if (now.commit !== repo.commit) throw changedMeanwhile(repo.id);
    const commit = await commitOnce(hub, now, changed, title, { tell, progress });
    const after = await hub.info('model', repo.id, commit);
    const wrong = files.find((file) => changeOf(file, after.files) !== 'unchanged');
    if (wrong) throw strange(`its listing of ${repo.id} has another ${wrong.path} than was sent`);
    return { commit, isNew: true };
  }, retry);
}

/**
 * Through the hub's client library: which files go to Git LFS, their hashes, parts of large ones, and the commit. Without
 * Xet, since its upload could not be tried here; the hub takes LFS from every client that does not ask for Xet
 * (https://huggingface.co/docs/hub/xet/legacy-git-lfs).
 */
async function commitOnce(
  hub: Hub,
  repo: RepoInfo,
  files: readonly LocalFile[],
  title: string,
  { tell, progress }: Pick<Upload, 'tell'> & { progress(): void },
): Promise<string> {
  const { commit, HubApiError } = await import('../packages');
  const requests = new UploadRequests(hub, repo.id, files, { tell, progress });
  try {
    const made = commit({
      repo: { type: 'model', name: repo.id },
      title,
      operations: files.map(({ path, at }) => ({
        operation: 'addOrUpdate',
        path,
        content: pathToFileURL(at),
      })),
      parentCommit: repo.commit,
      hubUrl: hub.settings.endpoint,
      useXet: false,
      fetch: requests.fetch,
      abortSignal: requests.signal,
    });
    // The library can lose an error that coincides with another event (eventToGenerator.ts), and would then wait for ever.
    const done = await Promise.race([made, requests.failed]);
    if (typeof done?.commit.oid !== 'string') throw strange('it does not name the commit that it made');
    return done.commit.oid;
  } catch (e) {
    requests.stop();
    if (e instanceof Failure || e instanceof AuroraError) throw e;
    const words = safeWords(hub, (e as Error).message);
    // An error of a single file, within an answer about many.
    if (e instanceof HubApiError)
      throw new AuroraError(
        'network',
        `${hub.http.endpoint.host} refuses the upload to ${repo.id}: ${words}`,
        'Check the storage that your account has left.',
      );
    throw strange(words);
  }
}

const changedMeanwhile = (id: string): AuroraError =>
  new AuroraError(
    'usage',
    `${id} has changed since it was looked at.`,
    'Run the command again to see what is there now.',
  );
