import { spawnSync } from 'node:child_process';
import { childEnvironment } from '../../files/child-environment';
import type { GitState } from '../../protocol/events';

/** A repository that takes longer is on a disk that would delay the training. */
const PATIENCE_MS = 10_000;
/** Enough for the names of many filters; changes are only looked for, not read. */
const MOST_OUTPUT = 16 * 1024 * 1024;

/**
 * The commit that is checked out around a folder, compared with the tracked files. Runs nothing that the repository's
 * own configuration names: neither a file system monitor nor filters, hooks or submodules.
 *
 * @returns undefined outside a repository, before its first commit, and if git is missing or refuses
 */
export function gitState(folder: string): GitState | undefined {
  const commit = git(folder, ['rev-parse', '--verify', 'HEAD'])?.trim();
  if (commit === undefined || !/^[0-9a-f]{40,64}$/.test(commit)) return undefined;
  const filters = git(folder, ['config', '--name-only', '--get-regexp', '^filter\\.']) ?? '';
  const unfiltered = filters
    .split('\n')
    .filter((key) => /\.(clean|process|smudge|required)$/.test(key))
    .flatMap((key) => ['-c', key.endsWith('.required') ? `${key}=false` : `${key}=`]);
  const changes = git(folder, [
    ...unfiltered,
    ...['status', '--porcelain', '--untracked-files=no', '--ignore-submodules=all', '--no-renames'],
  ]);
  return changes === undefined ? undefined : { commit, clean: changes === '' };
}

/** The output; undefined if it failed. */
function git(folder: string, args: readonly string[]): string | undefined {
  // Variables of a hook or an alias that started the trainer would point elsewhere.
  const env = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'));
  const { status, stdout } = spawnSync(
    'git',
    ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', '-c', 'core.pager=cat', ...args],
    {
      cwd: folder,
      env: childEnvironment(Object.fromEntries(env), { GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0' }),
      encoding: 'utf8',
      timeout: PATIENCE_MS,
      maxBuffer: MOST_OUTPUT,
      stdio: ['ignore', 'pipe', 'ignore'],
      windowsHide: true,
    },
  );
  return status === 0 ? stdout : undefined;
}
