import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRun, experimentRuns, runPaths } from '../../../src/runs/layout';
import { listTrash, restoreRun, trashOf, trashRun } from '../../../src/runs/trash';
import { writeUser } from '../../../src/runs/user';
import { temporaryFolders } from './folder';
import { specText } from '../specs';

const folder = temporaryFolders();

function newRun(root: string, experiment = 'demo'): string {
  const run = createRun(experimentRuns(join(root, `${experiment}.aurora.json`)));
  writeFileSync(runPaths(run).spec, specText('demo'));
  return run;
}

describe('the trash', () => {
  it('takes a run with everything in it and gives it back', async () => {
    const root = folder();
    const run = newRun(root);
    mkdirSync(runPaths(run).checkpoints);
    const trashed = await trashRun(run, 1000);
    expect(existsSync(run)).toBe(false);
    expect(trashed.folder.startsWith(join(root, '.aurora', 'trash'))).toBe(true);
    expect(trashOf(run)).toBe(join(root, '.aurora', 'trash'));
    expect(await listTrash(trashOf(run))).toEqual([
      { folder: trashed.folder, from: run, deletedAt: 1000, label: basename(run) },
    ]);
    expect(await restoreRun(trashed)).toBe(run);
    expect(readFileSync(runPaths(run).spec, 'utf8')).toBe(specText('demo'));
    expect(existsSync(runPaths(run).checkpoints)).toBe(true);
    expect(await listTrash(trashOf(run))).toEqual([]);
    // A second time, nothing from the first is in the way.
    await trashRun(run);
    expect(await listTrash(trashOf(run))).toHaveLength(1);
  });

  it("lists the most recently deleted first, with the user's names, for all experiments", async () => {
    const root = folder();
    const [a, b] = [newRun(root), newRun(root, 'other')];
    writeUser(b, { name: 'rank 8' });
    await trashRun(a, 1000);
    await trashRun(b, 2000);
    const list = await listTrash(trashOf(a));
    expect(list.map((t) => [t.label, t.from])).toEqual([
      ['rank 8', b],
      [basename(a), a],
    ]);
  });

  it('finds out where a run came from without its index or with a damaged one', async () => {
    const root = folder();
    const run = newRun(root);
    await trashRun(run);
    const index = join(trashOf(run), 'index.json');
    for (const spoil of [
      () => writeFileSync(index, '{'),
      () => writeFileSync(index, '7'),
      () => rmSync(index),
    ]) {
      spoil();
      expect(await listTrash(trashOf(run))).toMatchObject([{ from: run, label: basename(run) }]);
    }
    const [trashed] = await listTrash(trashOf(run));
    expect(await restoreRun(trashed)).toBe(run);
  });

  it('keeps a run from another place (--out) beside that place', async () => {
    const out = folder();
    const run = createRun(out);
    writeFileSync(runPaths(run).spec, '{}');
    const trashed = await trashRun(run);
    expect(trashed.folder.startsWith(join(out, '.aurora', 'trash'))).toBe(true);
    expect(await listTrash(trashOf(run))).toMatchObject([{ from: run }]);
    expect(await restoreRun(trashed)).toBe(run);
    expect(existsSync(run)).toBe(true);
  });

  it('does not restore over another run, and reports what could not be moved', async () => {
    const run = newRun(folder());
    const trashed = await trashRun(run);
    mkdirSync(run);
    await expect(restoreRun(trashed)).rejects.toThrow(`${run} cannot be restored`);
    expect(existsSync(trashed.folder)).toBe(true);
    rmSync(run, { recursive: true });
    await expect(trashRun(run)).rejects.toThrow(`${run} could not be moved`);
  });

  it('is empty if nothing was deleted', async () => {
    expect(await listTrash(join(folder(), '.aurora', 'trash'))).toEqual([]);
  });
});
