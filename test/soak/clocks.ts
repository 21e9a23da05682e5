import { existsSync, mkdirSync, readdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clean, type Campaign } from './campaign';
import { labOfRuns } from './lab-copy';
import { isOurFault, start, untilOrOver } from './processes';
import { recordsOf } from './records';
import { onlyRun, requireWhole } from './run-facts';

/** Debian's libfaketime, which changes a process's wall clock but not its monotonic clock. */
const library = (): string | undefined => {
  const root = '/usr/lib';
  return readdirSync(root)
    .map((name) => join(root, name, 'faketime', 'libfaketime.so.1'))
    .find(existsSync);
};

/**
 * The trainer's wall clock jumps by up to a month while its window renews the lease, and the run must not
 * end.
 */
export const clocks: Campaign = {
  name: 'clocks',
  slice: 2,
  lacks: () =>
    process.platform === 'linux' && library()
      ? undefined
      : 'libfaketime is not installed (Debian: libfaketime)',
  async trial(draw, folder) {
    const { lab, result } = await labOfRuns();
    const runs = join(folder, 'runs');
    const offset = join(folder, 'offset');
    setClock(offset, '+0');
    const training = start(['train', lab.experiment, '--out', runs, '--lease'], {
      LD_PRELOAD: library()!,
      FAKETIME_TIMESTAMP_FILE: offset,
      FAKETIME_NO_CACHE: '1',
      DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    });
    const at = draw.int(60);
    await untilOrOver(() => recordsOf(onlyRun(runs)) > at, training);
    const made = onlyRun(runs);
    const lease = made && join(made, 'control', 'lease');
    const renewal = setInterval(() => lease && renew(lease), 1000);
    const days = draw.pick([-30, -1, -0.01, 0.01, 1, 30]);
    setClock(offset, `${days < 0 ? '-' : '+'}${Math.abs(days)}d`);
    const end = await training.ended;
    clearInterval(renewal);
    clean(end.code === 0, `when the clock jumped by ${days} days, train ended with ${end.code}: ${end.err}`);
    clean(!isOurFault(end), end.err);
    requireWhole(onlyRun(runs)!, result);
    return `${days < 0 ? 'back' : 'on'}`;
  },
};

/** The library ends a program that reads half of it. */
function setClock(path: string, offset: string): void {
  writeFileSync(`${path}.new`, offset);
  renameSync(`${path}.new`, path);
}

function renew(lease: string): void {
  mkdirSync(join(lease, '..'), { recursive: true });
  writeFileSync(lease, '');
  const now = new Date();
  utimesSync(lease, now, now);
}
