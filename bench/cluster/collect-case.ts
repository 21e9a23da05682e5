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
 * Run folders that come from a cluster, its side on this machine: what shows curves, again when nothing has changed, and
 * whole, beside a copy of them by `cp`. A look brings only those that have grown or ended since the last one.
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
    const follow = await timed(() => bringer.follow(all));
    const again = await timed(() => bringer.follow(all));
    const collect = await timed(() => bringer.collect(all));
    rmSync(runs, { recursive: true });
    const machine = await timed(() => execFileSync('cp', ['--archive', from, runs]));
    return { follow: follow.ms, again: again.ms, collect: collect.ms, machine: machine.ms };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
