import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from '../../src/base/errors';
import { clean, type Campaign } from './campaign';
import { labOfRuns } from './lab-copy';
import { isOurFault, run, start, untilOrOver } from './processes';
import { onlyRun, requireWhole } from './run-facts';
import { recordsOf } from './records';

/**
 * A disk of a few megabytes that fills up at a random step. With free space, the run resumes to the same
 * bits.
 */
export const disks: Campaign = {
  name: 'disks',
  slice: 2,
  lacks: () =>
    process.platform === 'linux' && process.getuid?.() === 0
      ? undefined
      : 'only root on Linux can create a small disk',
  async trial(draw, folder) {
    const { lab, result } = await labOfRuns();
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]);
    try {
      const runs = join(disk, 'runs');
      const training = start(['train', lab.experiment, '--out', runs]);
      const at = draw.int(90);
      await untilOrOver(() => recordsOf(onlyRun(runs)) >= at, training);
      const filler = join(disk, 'filler');
      fill(filler, draw.pick([1, 64, 4096]));
      const end = await training.ended;
      // It may have been too late, with everything already written.
      const full = end.code === EXIT.disk;
      clean(full || end.code === 0, `on a full disk, train ended with ${end.code}: ${end.err}`);
      clean(!isOurFault(end), `on a full disk: ${end.err}`);
      rmSync(filler);
      const folderOfRun = onlyRun(runs)!;
      if (full) {
        const again = await run(['train', '--resume', folderOfRun]);
        const over = again.code === EXIT.run && /has finished/.test(again.err);
        clean(again.code === 0 || over, `--resume ended with ${again.code}: ${again.err}`);
      }
      requireWhole(folderOfRun, result);
      return full ? 'full' : 'too late';
    } finally {
      execFileSync('umount', [disk]);
    }
  },
};

function fill(path: string, grain: number): void {
  for (let size = 1 << 20; size >= grain; size = Math.floor(size / 2))
    try {
      for (;;) appendFileSync(path, Buffer.alloc(size, 1));
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== 'ENOSPC') throw e;
    }
}
