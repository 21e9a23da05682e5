import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRun, experimentRuns, experimentSweeps, runPaths } from '../../../src/runs/layout';
import { listTrashedSweeps, restoreSweep, trashSweep } from '../../../src/runs/sweep/sweep-trash';
import { sweepPaths } from '../../../src/runs/sweep/record';
import { listTrash, restoreRun, trashOf, trashRun } from '../../../src/runs/trash';
import { temporaryFolders } from './folder';
import { specText } from '../specs';

const folder = temporaryFolders();

function newSweep(file = join(folder(), 'demo.aurora.json')): {
  sweep: string;
  runs: string[];
  trash: string;
} {
  const sweep = join(experimentSweeps(file), '1a2b3c4d');
  mkdirSync(sweep, { recursive: true });
  writeFileSync(sweepPaths(sweep).sweep, '{}');
  const runs = [1, 2, 3].map(() => {
    const run = createRun(experimentRuns(file));
    writeFileSync(runPaths(run).spec, specText('demo'));
    return run;
  });
  return { sweep, runs, trash: trashOf(runs[0]) };
}
const file = (sweep: string) => join(sweep, '../../../..', 'demo.aurora.json');

describe('a deleted sweep', () => {
  it('goes to the trash with its trials, and comes back with them', async () => {
    const { sweep, runs, trash } = newSweep();
    const { trashed, failed } = await trashSweep(sweep, runs, 1000);
    expect(failed).toEqual([]);
    expect([sweep, ...runs].filter(existsSync)).toEqual([]);
    expect(await listTrashedSweeps(trash)).toEqual([trashed]);
    expect(trashed.trials).toHaveLength(3);
    expect(await restoreSweep(trashed)).toBe(sweep);
    expect([sweepPaths(sweep).sweep, ...runs.map((r) => runPaths(r).spec)].every(existsSync)).toBe(true);
    expect([await listTrashedSweeps(trash), await listTrash(trash)]).toEqual([[], []]);
    expect(readdirSync(join(trash, 'sweeps/demo'))).toEqual([]);
  });

  it('is gone before its first trial is, so that it never continues without some of them', async () => {
    const { sweep, runs, trash } = newSweep();
    // A file where the folder of the runs should be, as if it could not be written.
    mkdirSync(trash, { recursive: true });
    writeFileSync(join(trash, 'runs'), '');
    const { trashed, failed } = await trashSweep(sweep, runs);
    expect(failed).toHaveLength(3);
    expect(existsSync(sweep)).toBe(false);
    expect(runs.every(existsSync)).toBe(true);
    rmSync(join(trash, 'runs'));
    expect(await listTrashedSweeps(trash)).toEqual([trashed]);
    await restoreSweep(trashed);
    expect([sweep, ...runs].every(existsSync)).toBe(true);
  });

  it('leaves its trials where they are if it cannot be moved itself', async () => {
    const { sweep, runs, trash } = newSweep();
    mkdirSync(trash, { recursive: true });
    writeFileSync(join(trash, 'sweeps'), '');
    await expect(trashSweep(sweep, runs)).rejects.toMatchObject({ kind: 'disk' });
    expect([sweep, ...runs].every(existsSync)).toBe(true);
  });

  it('comes back after its trials: not at all if one of them cannot', async () => {
    const { sweep, runs, trash } = newSweep();
    const { trashed } = await trashSweep(sweep, runs);
    mkdirSync(runs[1], { recursive: true });
    await expect(restoreSweep(trashed)).rejects.toMatchObject({ kind: 'run' });
    expect(existsSync(sweep)).toBe(false);
    rmSync(runs[1], { recursive: true });
    const [again] = await listTrashedSweeps(trash);
    await restoreSweep(again);
    expect([sweep, ...runs].every(existsSync)).toBe(true);
  });

  it('can be deleted again, and is not restored over a newer one', async () => {
    const first = newSweep();
    const { trashed } = await trashSweep(first.sweep, first.runs, 1000);
    const second = newSweep(file(first.sweep));
    await expect(restoreSweep(trashed)).rejects.toThrow(/swept again/);
    expect(first.runs.some(existsSync)).toBe(false);
    await trashSweep(second.sweep, second.runs, 2000);
    const list = await listTrashedSweeps(first.trash);
    expect(list.map((s) => [s.deletedAt, s.trials.map((t) => basename(t)).sort()])).toEqual([
      [2000, second.runs.map((r) => basename(r)).sort()],
      [1000, first.runs.map((r) => basename(r)).sort()],
    ]);
    await restoreSweep(list[1]);
    expect([first.sweep, ...first.runs].every(existsSync)).toBe(true);
    expect(await listTrashedSweeps(first.trash)).toHaveLength(1);
  });

  it('restores only what was deleted with it', async () => {
    const { sweep, runs, trash } = newSweep();
    const before = await trashRun(runs[0], 500);
    const { trashed } = await trashSweep(sweep, runs.slice(1), 1000);
    await restoreSweep(trashed);
    expect(runs.map(existsSync)).toEqual([false, true, true]);
    await restoreRun(before);
    expect(await listTrash(trash)).toEqual([]);
  });
});
