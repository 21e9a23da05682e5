import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { openTask } from '../../../src/engine/open-task';
import { fence, ownerFile } from '../../../src/files/fence';
import { loadExperiment } from '../../../src/runs/experiment/load';
import { runPaths } from '../../../src/runs/layout';
import { settleAdapters, writeAdapter } from '../../../src/training/checkpoint/adapter-files';
import { initialState } from '../../../src/training/checkpoint/state';
import { prepareTask } from '../../../src/training/task/task';
import { Lab } from '../../cli/lab';

process.env.ORT_DISABLE_TELEMETRY = '1';
const lab = new Lab();
const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));
afterAll(() => lab.remove());
const task = await prepareTask(loadExperiment(lab.experiment, []), lab.path('graph'));

const own = (run: string, nonce: string) =>
  writeFileSync(ownerFile(run), JSON.stringify({ nonce, pid: 4242, host: 'another', at: 0 }));

/** A run that this process owns, and a function that lets another process take it over. */
function ownedRun(name: string): { run: string; takeOver: () => void } {
  const run = lab.fresh(name);
  mkdirSync(run);
  own(run, 'first');
  closers.push(fence(run, { nonce: 'first' }));
  return { run, takeOver: () => own(run, 'second') };
}

const open = (folder: string) => openTask(task.model, task.infos, task.graph, folder, { threads: 1 });

describe('a process that has lost its run to another process', () => {
  it('closes its graphs and leaves the folder to the new owner', async () => {
    const { run, takeOver } = ownedRun('graphs');
    const folder = join(run, 'graph');
    const { stepper } = await open(folder);
    const files = readdirSync(folder);
    expect(files.length).toBeGreaterThan(0);
    takeOver();
    await stepper.dispose();
    expect(readdirSync(folder)).toEqual(files);
    await expect(open(folder)).rejects.toThrow(/has taken over/);
    expect(readdirSync(folder)).toEqual(files);
  });

  it('removes the graphs if it still owns the run', async () => {
    const { run } = ownedRun('own');
    const { stepper } = await open(join(run, 'graph'));
    await stepper.dispose();
    expect(existsSync(join(run, 'graph'))).toBe(false);
  });

  it('removes no adapter', async () => {
    const { run, takeOver } = ownedRun('adapter');
    const { stepper, trainable } = await open(join(run, 'graph'));
    await stepper.dispose();
    const state = initialState(task, trainable);
    for (const which of ['best', 'last'] as const) writeAdapter(run, which, task, state.parameters, 20);
    const settle = () =>
      settleAdapters({
        ...{ run, state, hasCheckpoint: false, events: [], taskAt: () => task, warn: () => undefined },
      });
    takeOver();
    expect(settle).toThrow(/has taken over/);
    expect(readdirSync(runPaths(run).adapter).sort()).toEqual(['best', 'last']);
    own(run, 'first');
    settle();
    expect(readdirSync(runPaths(run).adapter)).toEqual([]);
  });
});
