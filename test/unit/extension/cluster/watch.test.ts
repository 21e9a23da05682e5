import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { placesOf, hasSlurmHere, isOnPath } from '../../../../src/extension/cluster/places';
import { ClusterWatch } from '../../../../src/extension/cluster/cluster-watch';
import type { SweepEntry } from '../../../../src/extension/runs/store';
import type { ClusterFile, ClusterTrial } from '../../../../src/protocol/run-files/cluster';
import { temporaryFolders } from '../../runs/folder';
import { sweepEntry } from '../sweep-maker';

const folder = temporaryFolders();

const START = 1000;
const on = (
  trials: Record<string, ClusterTrial>,
  more: Partial<ClusterFile> = {},
  state: SweepEntry['state'] = 'running',
): SweepEntry => ({
  ...sweepEntry(state),
  cluster: { version: 1, executor: 'slurm', place: '', at: 1, trials, ...more },
});
const lost = (times: number, at: number): ClusterTrial => ({
  ...{ state: 'queued', job: '2_0' },
  lost: { times, at },
});

it('tells each loss once, also if the trial was submitted again in the meantime', () => {
  const watch = new ClusterWatch(START);
  expect(watch.note(on({ t1: { state: 'running', job: '1_0' } }))).toBeUndefined();
  expect(watch.note(on({ t1: lost(1, 2000) }))?.lost).toEqual(['t1']);
  expect(watch.note(on({ t1: lost(1, 2000) }))).toBeUndefined();
  expect(watch.note(on({ t1: lost(2, 3000) }))?.lost).toEqual(['t1']);
});

it('does not repeat losses from before the window opened, and tells those of a sweep that it sees late', () => {
  const watch = new ClusterWatch(START);
  expect(watch.note(on({ t1: lost(1, 500) }))).toBeUndefined();
  expect(watch.note(on({ t1: lost(2, 1500) }))?.lost).toEqual(['t1']);
  expect(new ClusterWatch(START).note(on({ t1: lost(1, 1500) }))?.lost).toEqual(['t1']);
});

it('reports once that a cluster is not responding, and again after it has responded', () => {
  const watch = new ClusterWatch(START);
  const down = (since: number) => on({}, { unreachable: { since, message: 'No route.' } });
  expect(watch.note(down(2000))?.unreachable).toBe(true);
  expect(watch.note(down(2000))).toBeUndefined();
  expect(watch.note(on({}))).toBeUndefined();
  expect(watch.note(down(3000))?.unreachable).toBe(true);
});

it('reports no loss and no silence with a time in the future, as a folder from elsewhere may have, nor later', () => {
  const watch = new ClusterWatch(START);
  const future = on({ t1: lost(1, 9000) }, { unreachable: { since: 9000, message: 'No route.' } });
  expect(watch.note(future, 2000)).toBeUndefined();
  expect(watch.note(future, 9500)).toBeUndefined();
  expect(watch.note(on({ t1: lost(2, 9600) }), 9700)?.lost).toEqual(['t1']);
});

it('reports trials that nobody follows only when it first sees the sweep; after that, it reports the end', () => {
  const queued = { t1: { state: 'queued', job: '1_0' } } as const;
  expect(new ClusterWatch(START).note(on(queued, {}, 'stopped'))?.unfollowed).toBe(true);
  const watch = new ClusterWatch(START);
  expect(watch.note(on(queued))).toBeUndefined();
  expect(watch.note(on(queued, {}, 'stopped'))).toBeUndefined();
});

it("offers what the experiment's section, the setting or the PATH configures", () => {
  expect(placesOf({}, {}, false)).toEqual([{ on: 'local' }, { on: 'slurm' }, { on: 'kubernetes' }]);
  expect(placesOf({}, {}, true)[1]).toEqual({ on: 'slurm', cluster: { place: '', from: 'path' } });
  const setting = { slurm: { host: 'login' }, kubernetes: { context: 'lab' } };
  expect(placesOf({ slurm: { partition: 'gpu' } }, setting, true)).toEqual([
    { on: 'local' },
    { on: 'slurm', cluster: { place: 'login', from: 'experiment' } },
    { on: 'kubernetes', cluster: { place: 'lab', from: 'setting' } },
  ]);
});

it.skipIf(process.platform === 'win32')('finds programs on the PATH', async () => {
  expect(await isOnPath('sh', '/nowhere:/bin:/usr/bin')).toBe(true);
  expect(await isOnPath('sh', '')).toBe(false);
  expect(await isOnPath('no-such-program', '/bin:/usr/bin')).toBe(false);
});

describe.skipIf(process.platform === 'win32')('Slurm on this machine', () => {
  /** The environment of a machine with these commands. */
  const machine = (scontrol: string): NodeJS.ProcessEnv => {
    const bin = folder();
    for (const [name, script] of [
      ['sbatch', 'exit 0'],
      ['scontrol', scontrol],
    ])
      writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return { PATH: bin };
  };

  it('is offered if its controller is up or down, not if only its commands are installed', async () => {
    expect(await hasSlurmHere(machine('echo "Slurmctld(primary) at head is UP"'))).toBe(true);
    expect(await hasSlurmHere(machine('echo "Slurmctld(primary) at head is DOWN"; exit 1'))).toBe(true);
    expect(await hasSlurmHere(machine('echo "scontrol: fatal: no configuration" >&2; exit 1'))).toBe(false);
    expect(await hasSlurmHere({ PATH: folder() })).toBe(false);
  });
});
