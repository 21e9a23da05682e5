import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gitState } from '../../../src/training/process/environment';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'aurora-git-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();

function repository(): string {
  git('init', '-q');
  writeFileSync(join(folder, 'a.txt'), 'one');
  git('add', '.');
  git('commit', '-qm', 'first');
  return git('rev-parse', 'HEAD');
}

describe('the git commit of a run', () => {
  it('is what is checked out around its folder, and clean until a tracked file changes', () => {
    const commit = repository();
    const run = join(folder, '.aurora/runs/mine/run');
    mkdirSync(run, { recursive: true });
    expect(gitState(run)).toEqual({ commit, clean: true });
    writeFileSync(join(folder, 'untracked.txt'), 'new');
    expect(gitState(run)).toEqual({ commit, clean: true });
    writeFileSync(join(folder, 'a.txt'), 'two');
    expect(gitState(run)).toEqual({ commit, clean: false });
    git('add', '.');
    expect(gitState(run)).toEqual({ commit, clean: false });
  });

  it('is unknown outside a repository and before the first commit', () => {
    expect(gitState(folder)).toBeUndefined();
    git('init', '-q');
    expect(gitState(folder)).toBeUndefined();
    expect(gitState(join(folder, 'missing'))).toBeUndefined();
  });

  it.skipIf(process.platform === 'win32')('is found without running what the repository configures', () => {
    const commit = repository();
    const ran = join(folder, 'ran');
    const program = join(folder, 'evil.sh');
    writeFileSync(program, `#!/bin/sh\ntouch ${ran}\ncat\n`, { mode: 0o755 });
    git('config', 'core.fsmonitor', program);
    git('config', 'filter.evil.clean', program);
    git('config', 'filter.evil.required', 'true');
    git('config', 'core.pager', program);
    writeFileSync(join(folder, '.git/info/attributes'), '* filter=evil\n');
    for (const hook of ['post-index-change', 'fsmonitor-watchman'])
      writeFileSync(join(folder, '.git/hooks', hook), `#!/bin/sh\ntouch ${ran}\n`, { mode: 0o755 });
    // Git reads the file again, through the filter.
    utimesSync(join(folder, 'a.txt'), 1, 1);
    expect(gitState(folder)).toEqual({ commit, clean: true });
    expect(existsSync(ran)).toBe(false);
    // The trap works.
    execFileSync('git', ['status'], { cwd: folder, stdio: 'ignore' });
    expect(existsSync(ran)).toBe(true);
  });
});
