import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AuroraError } from '../../src/base/errors';
import { RunBringer } from '../../src/executors/remote/bring-runs';
import { Rsync } from '../../src/executors/remote/rsync';
import { localShell } from '../../src/executors/remote/shell';
import { experimentRuns } from '../../src/runs/layout';
import { timed } from './timed';

const MEMORY = '/dev/shm';
/** Runs that come at a time, by turns with the same files by tar alone: a disk is not as fast at all times. */
const TURN = 1000;

/**
 * Run folders that come from a cluster, its side on this machine, to the same disk and to memory: what shows curves, the
 * adapters, again when nothing has changed, and the checkpoints; beside the same files with nothing but tar.
 */
export async function collectCase({
  folder,
  file,
}: {
  folder: string;
  file: string;
}): Promise<Record<string, number>> {
  const from = experimentRuns(file);
  const disk = await collectTo(mkdtempSync(join(folder, 'copy-')), from, true);
  if (!existsSync(MEMORY)) return disk;
  const memory = await collectTo(mkdtempSync(join(MEMORY, 'aurora-copy-')), from, false);
  return { ...disk, memory: memory.follow + memory.collect, memoryPlain: memory.plain };
}

async function collectTo(
  copy: string,
  from: string,
  withCheckpoints: boolean,
): Promise<Record<string, number>> {
  const [home, plain] = [join(copy, '.aurora'), join(copy, 'plain')];
  const runs = join(home, 'runs', 'study');
  for (const made of [runs, plain]) mkdirSync(made, { recursive: true });
  const bringer = bringerFrom(from, runs, copy);
  const all = readdirSync(from);
  const ms = { follow: 0, collect: 0, plain: 0 };
  try {
    // The cluster's disk is not this one: it does not still write the study, and its files need not be read from here.
    execFileSync('sync');
    for (let at = 0; at < all.length; at += TURN) {
      const names = all.slice(at, at + TURN);
      const some = names.map((name) => join(runs, name));
      const pack = packing(names);
      execFileSync('sh', ['-c', `${pack} | cat > /dev/null`], { cwd: from });
      ms.plain += (
        await timed(() => execFileSync('sh', ['-c', `${pack} | tar --extract -C "$0"`, plain], { cwd: from }))
      ).ms;
      ms.follow += (await timed(() => bringer.follow(some))).ms;
      ms.collect += (await timed(() => bringer.collect(some))).ms;
    }
    if (!withCheckpoints) return ms;
    const here = all.map((name) => join(runs, name));
    const again = await timed(() => bringer.follow(here));
    const checkpoints = await timed(() => bringer.collectCheckpoints(here));
    return { ...ms, again: again.ms, checkpoints: checkpoints.ms };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function bringerFrom(from: string, runs: string, copy: string): RunBringer {
  // In place of ssh: its first argument is the host, the rest a command.
  const command = join(copy, 'here.sh');
  writeFileSync(command, '#!/bin/sh\nshift\nexec sh -c "$*"\n');
  chmodSync(command, 0o755);
  const rsync = new Rsync({
    ...{ name: 'this machine', host: 'here', command: () => Promise.resolve([command]) },
    lost: (reason) => new AuroraError('network', reason),
  });
  const there = (path: string) => (path.startsWith(runs) ? from + path.slice(runs.length) : path);
  const here = (path: string) => (path.startsWith(from) ? runs + path.slice(from.length) : undefined);
  return new RunBringer({ rsync, shell: localShell(), home: join(copy, '.aurora'), there, here });
}

/** Packs the same files of these runs that `follow` and `collect` copy. */
const packing = (names: readonly string[]): string =>
  `find ${names.join(' ')} -name checkpoints -prune -o -type f -print0 | tar --create --null --files-from=-`;
