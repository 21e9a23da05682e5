import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { EXIT } from '../../src/base/errors';
import { clean, type Campaign } from './campaign';
import { labOfRuns } from './lab-copy';
import { isOurFault, run, start, untilOrOver } from './processes';
import { recordsOf } from './records';
import { onlyRun, requireWhole } from './run-facts';

/** A run folder or a part of it is removed, renamed or made read-only during a run. */
export const folders: Campaign = {
  name: 'folders',
  slice: 3,
  lacks: () => (process.platform === 'linux' ? undefined : 'Windows does not allow removing a folder in use'),
  async trial(draw, folder) {
    const { lab, result } = await labOfRuns();
    const runs = join(folder, 'runs');
    const training = start(['train', lab.experiment, '--out', runs]);
    const at = draw.int(80);
    await untilOrOver(() => recordsOf(onlyRun(runs)) > at, training);
    const made = onlyRun(runs);
    if (made === undefined) throw new Error(`no run was made: ${(await training.ended).err}`);
    const name = draw.pick(Object.keys(FAULTS));
    const where = await FAULTS[name]!(made, folder, training.ended, result);
    return `${name} ${where}`;
  },
};

type Fault = (
  run: string,
  folder: string,
  ended: ReturnType<typeof start>['ended'],
  result: string,
) => Promise<string>;

const FAULTS: Record<string, Fault> = {
  async removed(made, _folder, ended) {
    remove(made);
    return gone(made, ended);
  },
  async renamed(made, folder, ended, result) {
    const moved = join(folder, 'moved');
    renameSync(made, moved);
    const how = await gone(made, ended);
    const again = await run(['train', '--resume', moved]);
    const over = again.code === EXIT.run && /has finished/.test(again.err);
    clean(again.code === 0 || over, `--resume of the renamed folder ended with ${again.code}: ${again.err}`);
    requireWhole(moved, result);
    return how;
  },
  'without its journal': (made, _folder, ended) => partGone(made, 'events.jsonl', ended),
  'without its adapters': (made, _folder, ended) => partGone(made, 'adapter', ended),
  async 'read-only'(made, folder, ended, result) {
    if (process.getuid?.() !== 0) return 'left out';
    // Root can write to a folder with any mode, but not to one mounted read-only.
    const shield = join(folder, 'shield');
    mkdirSync(shield);
    execFileSync('mount', ['--bind', made, made]);
    try {
      await readOnly(made);
      const end = await ended;
      clean(
        [EXIT.disk, 0].includes(end.code as 0),
        `in a read-only folder, train ended with ${end.code}: ${end.err}`,
      );
      clean(!isOurFault(end), `in a read-only folder: ${end.err}`);
      if (end.code === 0) return 'too late';
    } finally {
      execFileSync('umount', [made]);
    }
    const again = await run(['train', '--resume', made]);
    clean(again.code === 0, `--resume ended with ${again.code}: ${again.err}`);
    requireWhole(made, result);
    return 'stopped';
  },
};

/** Remounts a folder read-only, but not while one of its files is being written. */
async function readOnly(folder: string): Promise<void> {
  for (;;)
    try {
      execFileSync('mount', ['-o', 'remount,bind,ro', folder], { stdio: 'ignore' });
      return;
    } catch {
      await wait(5);
    }
}

/** The run reports that its folder is gone, or had already ended. Nothing may reappear under the old path. */
async function gone(made: string, ended: ReturnType<typeof start>['ended']): Promise<string> {
  const end = await ended;
  clean(
    end.code === EXIT.lost || end.code === 0,
    `train without its folder ended with ${end.code}: ${end.err}`,
  );
  clean(!isOurFault(end), `train without its folder: ${end.err}`);
  clean(!existsSync(made), `${made} was recreated`);
  clean(end.code !== EXIT.lost || /--resume/.test(end.err), `it gives no way to continue: ${end.err}`);
  return end.code === 0 ? 'too late' : 'stopped';
}

/** A removed part is written again, or the run reports that it is missing. */
async function partGone(
  made: string,
  part: string,
  ended: ReturnType<typeof start>['ended'],
): Promise<string> {
  remove(join(made, part));
  const end = await ended;
  clean(!isOurFault(end), `without ${part}: ${end.err}`);
  if (end.code === 0) {
    clean(existsSync(join(made, part)), `train ended with 0, but ${part} is missing`);
    return 'written again';
  }
  clean(end.code === EXIT.lost, `without ${part}, train ended with ${end.code}: ${end.err}`);
  return 'stopped';
}

/** Removes a path although the trainer may be writing into it. */
function remove(path: string): void {
  for (;;)
    try {
      return rmSync(path, { recursive: true, force: true });
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw e;
    }
}
