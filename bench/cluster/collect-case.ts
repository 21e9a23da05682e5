import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AuroraError } from '../../src/base/errors';
import { RunBringer } from '../../src/executors/remote/bring-runs';
import { Rsync } from '../../src/executors/remote/rsync';
import { localShell } from '../../src/executors/remote/shell';
import { experimentRuns } from '../../src/runs/layout';
import { timed } from './timed';

/**
 * Run folders that come from a cluster, its side on this machine: what shows curves, again when nothing has changed, the
 * adapters, and the checkpoints, beside plain copies of the same files. A look brings only those that have grown or ended
 * since the last one.
 */
export async function collectCase({
  folder,
  file,
}: {
  folder: string;
  file: string;
}): Promise<Record<string, number>> {
  const copy = join(folder, 'copy');
  const home = join(copy, '.aurora');
  const runs = join(home, 'runs', 'study');
  mkdirSync(runs, { recursive: true });
  // In place of ssh: its first argument is the host, the rest a command.
  const command = join(copy, 'here.sh');
  writeFileSync(command, '#!/bin/sh\nshift\nexec sh -c "$*"\n');
  chmodSync(command, 0o755);
  const rsync = new Rsync({
    ...{ name: 'this machine', host: 'here', command: () => Promise.resolve([command]) },
    lost: (reason) => new AuroraError('network', reason),
  });
  const from = experimentRuns(file);
  const there = (path: string) => (path.startsWith(runs) ? from + path.slice(runs.length) : path);
  const here = (path: string) => (path.startsWith(from) ? runs + path.slice(from.length) : undefined);
  const bringer = new RunBringer({ rsync, shell: localShell(), home, there, here });
  const all = readdirSync(from).map((name) => join(runs, name));
  try {
    settle(from);
    const follow = await timed(() => bringer.follow(all));
    const collect = await timed(() => bringer.collect(all));
    const again = await timed(() => bringer.follow(all));
    settle(from);
    const plain = await timed(() => unpackPlainly(from, join(copy, 'plain')));
    if (process.env.ONLY) return { follow: follow.ms, collect: collect.ms, again: again.ms, plain: plain.ms };
    const checkpoints = await timed(() => bringer.collectCheckpoints(all));
    return {
      ...{ follow: follow.ms, collect: collect.ms, again: again.ms },
      ...{ plain: plain.ms, checkpoints: checkpoints.ms },
    };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

const NOT_CHECKPOINTS =
  'find . -name checkpoints -prune -o -type f -print0 | tar --create --null --files-from=-';

/**
 * The disk of a cluster is not this one: it does not still write the study, and its files need not be read from here, which
 * would be measured instead.
 */
function settle(from: string): void {
  execFileSync('sync');
  execFileSync('sh', ['-c', `${NOT_CHECKPOINTS} | cat > /dev/null`], { cwd: from });
}

/** The same files as `follow` and `collect` bring, with nothing but tar: what this machine needs at least. */
function unpackPlainly(from: string, to: string): void {
  mkdirSync(to);
  execFileSync('sh', ['-c', `${NOT_CHECKPOINTS} | tar --extract --directory="$0"`, to], { cwd: from });
}
